import pytest

from langchain_kimi._kimi.markup.enclosing import encloses, may_enclose

PAIRS = [
    ("<answer>", "</answer>"),
    ("<a b='c'>\n", "\n</a>"),
    ("<p>for example ", "</p>"),
    ("<ul><li>a</li>\n<li>see ", "</li>"),
    ("<details><summary>a</summary>", "</de"),
    ("a +", "+ b"),
    ("<", "> b"),
    ("a \u226a", "\u226b"),
    ("a \u2014 ", " \u2014 b"),
    ("a ->", " -> b"),
    ("(see ", ") b"),
    ("x = 'so ", "' b"),
    ("[see ", "](b)"),
    ("{see ", "}"),
    ("**see ", "**"),
    ("__see ", "__"),
    ("a\n----\n", "\n----\n"),
    ("::: a\n", "\n\n:::"),
    ("$$\n", "\n$$"),
    ("@verbatim\n", "\n@end verbatim"),
    (".nf\n", "\n.fi"),
]
OTHERS = [
    ("<answer>", "\nDone."),
    ("<tool_call>", "</tool_call>"),
    ("<tools>\n", "\n</tools>"),
    ("<tool_call>I look: ", "</tool_call>"),
    ("<p>I look: ", "</b>"),
    ("<p>I look.</p>", "</p>"),
    ("2+2=", "=4"),
    ("a + ", "+ b"),
    ("a -> ", " b"),
    ("(see a) ", ") b"),
    ("it's ", "' b"),
    ("a\n----\n", "----"),
    ("a\n----\n", "\n- b"),
    ("# A\n", "\n# B"),
    ("@verbatim\n", "\n@"),
    ("a ", " b"),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_what_is_closed_after_markup_encloses_it(before: str, after: str) -> None:
    assert may_enclose(before, is_bare=False)
    assert encloses(before, after, is_bare=False)
    assert not encloses(before, "", is_bare=False)
    assert not encloses("", after, is_bare=False)


@pytest.mark.parametrize(("before", "after"), OTHERS)
def test_other_texts_do_not_enclose_markup(before: str, after: str) -> None:
    assert not encloses(before, after, is_bare=False)


@pytest.mark.parametrize(
    ("after", "expected"), [(" took 3 ms", True), (" Then", False), ("\nthen", False), ("", False)]
)
def test_words_around_a_bare_call(after: str, *, expected: bool) -> None:
    assert may_enclose("12:00 INFO ", is_bare=True)
    assert not may_enclose("12:00 INFO ", is_bare=False)
    assert encloses("12:00 INFO ", after, is_bare=True) == expected
    assert not encloses("12:00 INFO ", after, is_bare=False)
