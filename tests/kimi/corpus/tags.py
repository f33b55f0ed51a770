"""Texts with K3's markup: calls in tags, whole, incomplete and damaged, and stray tags."""

from typing import Any

from tests.kimi.corpus.cases import Call, Case, leaked

SEP = "<|sep|>"
END_OF_MESSAGE = "<|end_of_msg|>"


def opened(name: str, **attributes: str) -> str:
    """Return an opening tag."""
    return f"<|open|>{name}" + "".join(f' {key}="{value}"' for key, value in attributes.items()) + SEP


def closed(name: str) -> str:
    """Return a closing tag."""
    return f"<|close|>{name}{SEP}"


def argument(key: str, value: str, kind: str = "string") -> str:
    """Return an argument."""
    return opened("argument", key=key, type=kind) + value + closed("argument")


def tagged(tool: str, *arguments: str, index: int = 1) -> str:
    """Return a call in tags."""
    return opened("call", tool=tool, index=str(index)) + "".join(arguments) + closed("call")


def section(*calls: str) -> str:
    """Return the tags of calls in the channel `tools`."""
    return opened("tools") + "".join(calls) + closed("tools")


def raw_json(text: str) -> str:
    """Return arguments that are one JSON text."""
    return opened("json", type="object") + text + closed("json")


PARIS = argument("city", "Paris")
WEATHER: Call = ("get_weather", {"city": "Paris"}, "functions.get_weather:0")
ROME: Call = ("get_weather", {"city": "Rome"}, "functions.get_weather:1")
TIME: Call = ("get_time", {}, "functions.get_time:0")
ONE = tagged("get_weather", PARIS)
TWO = tagged("get_weather", argument("city", "Rome"), index=2)
CALL = opened("call", tool="get_weather", index="1")


def case(name: str, text: str, *calls: Call, source: str = "getsigit/sigit#92", **expected: Any) -> Case:
    """Return a case with K3's markup."""
    return leaked(f"K3, {name}", source, text, calls=calls, **expected)


def weather(city: Any) -> Call:
    """Return the expected call for a city."""
    return ("get_weather", {"city": city}, "functions.get_weather:0")


def files(**arguments: Any) -> Call:
    """Return the expected call of `list_files`."""
    return ("list_files", arguments, "functions.list_files:0")


CALLS = [
    case(
        "and the result, which the model made up",
        section(ONE) + closed("message") + END_OF_MESSAGE + opened("message", role="tool") + "Sunny." + section(TWO),
        WEATHER,
    ),
    case("the key is called a name", section(CALL + PARIS.replace("key=", "name=") + closed("call")), WEATHER),
    case("an argument twice", section(tagged("get_weather", PARIS, PARIS)), WEATHER),
    case("whole section", section(ONE), WEATHER),
    case("two calls", section(ONE, TWO), WEATHER, ROME),
    case("no section", ONE, WEATHER),
    case("no section, two calls", ONE + TWO, WEATHER, ROME),
    case("section not closed", opened("tools") + ONE, WEATHER),
    case("section not opened", ONE + closed("tools"), WEATHER),
    case("call not closed", opened("tools") + CALL + PARIS + closed("tools"), WEATHER),
    case("nothing closed after the argument", opened("tools") + CALL + PARIS, WEATHER),
    case("nothing closed after the JSON", CALL + opened("json", type="object") + '{"city": "Paris"}', WEATHER),
    case("an object without a tag", CALL + '{"city": "Paris"}' + closed("call"), WEATHER),
    case("an object without a tag, on a line", section(CALL + '\n{"city": "Paris"}\n' + closed("call")), WEATHER),
    case("an object without a tag, nothing closed", opened("tools") + CALL + '{"city": "Paris"}', WEATHER),
    case("the same call twice", section(ONE, ONE), WEATHER, repairs={"markup": 2}),
    case("the same section twice", f"{section(ONE)}\n{section(ONE)}", WEATHER, repairs={"markup": 2}),
    case("first call not closed", opened("tools") + CALL + PARIS + TWO + closed("tools"), WEATHER, ROME),
    case(
        "argument not closed",
        section(CALL + opened("argument", key="city", type="string") + "Paris" + closed("call")),
        WEATHER,
    ),
    case(
        "first argument not closed",
        section(
            tagged("list_files", opened("argument", key="path", type="string") + "/a", argument("depth", "2", "number"))
        ),
        files(path="/a", depth=2),
    ),
    case("text before", "I look.\n" + section(ONE), WEATHER, content="I look.\n"),
    case("text after", section(ONE) + "\nWait.", WEATHER, content="\nWait."),
    case("text around", "A " + section(ONE) + " b.", WEATHER, content="A  b."),
    case("text between calls", section(ONE + "and", TWO), WEATHER, ROME, content="and", repairs={"markup": 2}),
    case(
        "words before the first call",
        opened("tools") + "\nI call it:\n" + ONE + closed("tools"),
        WEATHER,
        content="\nI call it:\n",
    ),
    case("call not closed, text after", CALL + PARIS + "\n\nI wait.", WEATHER, content="\n\nI wait."),
    case(
        "blanks in tags",
        section(ONE).replace("<|open|>", "<|open|> ").replace("<|close|>", "<|close|> ").replace("<|sep|>", " <|sep|>"),
        WEATHER,
    ),
    case("line breaks between tags", section("\n" + CALL + "\n" + PARIS + "\n" + closed("call") + "\n"), WEATHER),
    case("blanks around equals signs", section(ONE.replace("=", " = ")), WEATHER),
    case("single quotes", section(ONE.replace('"', "'")), WEATHER),
    case(
        "other order of attributes",
        section(ONE.replace('tool="get_weather" index="1"', 'index="1" tool="get_weather"')),
        WEATHER,
    ),
    case("no index", section(ONE.replace(' index="1"', "")), WEATHER),
    case("unknown attribute", section(ONE.replace(' index="1"', ' id="c1" index="1"')), WEATHER),
    case("prefix before the name", section(ONE.replace("get_weather", "functions.get_weather")), WEATHER),
    case("name in capitals", section(ONE.replace("get_weather", "Get_Weather")), WEATHER),
    case("no arguments", section(tagged("get_time")), TIME),
    case("no arguments, no section", tagged("get_time"), TIME),
    case("JSON instead of arguments", section(tagged("get_weather", raw_json('{"city": "Paris"}'))), WEATHER),
    case(
        "JSON not closed", section(CALL + opened("json", type="object") + '{"city": "Paris"}' + closed("call")), WEATHER
    ),
    case("end of the message", section(ONE) + closed("message") + END_OF_MESSAGE, WEATHER),
    case(
        "empty response before",
        opened("response") + closed("response") + section(ONE) + closed("message"),
        WEATHER,
    ),
    case(
        "response before",
        opened("response") + "I look." + closed("response") + section(ONE) + closed("message"),
        WEATHER,
        content="I look.",
        repairs={"markup": 2},
    ),
    case(
        "late end of the reasoning", closed("think") + opened("response") + closed("response") + section(ONE), WEATHER
    ),
    case("tag end lost", section(ONE)[: -len(SEP)], WEATHER),
    case("section end cut", section(ONE)[:-9], WEATHER),
    case("call end cut", (opened("tools") + ONE)[:-12], WEATHER),
    case(
        "after code that is closed", "`get_weather` helps.\n" + section(ONE), WEATHER, content="`get_weather` helps.\n"
    ),
    case("after a quoted marker", "No `<|open|>` here.\n" + ONE, WEATHER, content="No `<|open|>` here.\n"),
]

VALUES = [
    case(
        "entities in attributes",
        section(tagged("get_weather", argument("ci&quot;ty&amp;", "Paris"))),
        ("get_weather", {'ci"ty&': "Paris"}, "functions.get_weather:0"),
    ),
    case("entities in values", section(tagged("get_weather", argument("city", "A &amp; B"))), weather("A &amp; B")),
    case("blanks in values", section(tagged("get_weather", argument("city", " Paris\n"))), weather(" Paris\n")),
    case("empty value", section(tagged("get_weather", argument("city", ""))), weather("")),
    case("quotes and braces", section(tagged("get_weather", argument("city", '"}{]\\'))), weather('"}{]\\')),
    case("letters of other scripts", section(tagged("get_weather", argument("city", "巴黎🗼"))), weather("巴黎🗼")),
    case(
        "K2's markers in a value",
        section(tagged("get_weather", argument("city", "<|tool_call_end|> <|im_end|>"))),
        weather("<|tool_call_end|> <|im_end|>"),
    ),
    case(
        "the beginning of a tag in a value",
        section(tagged("get_weather", argument("city", "a <| b <|open|> c"))),
        weather("a <| b <|open|> c"),
    ),
    case("a number", section(tagged("list_files", argument("depth", "2", "number"))), files(depth=2)),
    case(
        "a number with an exponent",
        section(tagged("list_files", argument("depth", "1e2", "number"))),
        files(depth=100.0),
    ),
    case("a negative number", section(tagged("list_files", argument("depth", "-3", "integer"))), files(depth=-3)),
    case("a boolean", section(tagged("list_files", argument("depth", "true", "boolean"))), files(depth=True)),
    case("null", section(tagged("list_files", argument("depth", "null", "null"))), files(depth=None)),
    case(
        "a list",
        section(tagged("save_todos", argument("todos", '[{"id": 1}]', "array"))),
        ("save_todos", {"todos": [{"id": 1}]}, "functions.save_todos:0"),
    ),
    case(
        "an object",
        section(tagged("save_todos", argument("labels", '{"a": "</b>"}', "object"))),
        ("save_todos", {"labels": {"a": "</b>"}}, "functions.save_todos:0"),
    ),
    case(
        "no type",
        section(tagged("list_files", opened("argument", key="depth") + "2" + closed("argument"))),
        files(depth=2),
    ),
    case(
        "no type, a string",
        section(tagged("list_files", opened("argument", key="path") + "2" + closed("argument"))),
        files(path="2"),
    ),
    case(
        "two arguments",
        section(tagged("list_files", argument("path", "/"), argument("depth", "1", "number"))),
        files(path="/", depth=1),
    ),
    case("blanks around JSON", section(tagged("list_files", argument("depth", " 2\n", "number"))), files(depth=2)),
]

INVALID = [
    case(
        "an argument without a name",
        section(opened("call", tool="list_files") + opened("argument", type="string") + "/" + closed("argument")),
        invalid=(("list_files", '{"": "/"}', "functions.list_files:0"),),
    ),
    case(
        "two values of an argument",
        section(tagged("get_weather", PARIS, argument("city", "Rome"))),
        invalid=(("get_weather", '{"city": "Rome"}', "functions.get_weather:0"),),
    ),
    case(
        "cut in a value",
        opened("tools") + CALL + opened("argument", key="city", type="string") + "Par",
        finish="length",
        invalid=(("get_weather", '{"city": "Par"}', "functions.get_weather:0"),),
    ),
    case(
        "stopped in a value",
        opened("tools") + CALL + opened("argument", key="city", type="string") + "Par",
        invalid=(("get_weather", '{"city": "Par"}', "functions.get_weather:0"),),
    ),
    case(
        "cut after an argument",
        opened("tools") + CALL + PARIS,
        finish="length",
        invalid=(("get_weather", '{"city": "Paris"}', "functions.get_weather:0"),),
    ),
    case("cut after the call", opened("tools") + ONE, WEATHER, finish="length", ends="length"),
    case(
        "cut in the tag of a call",
        opened("tools") + '<|open|>call tool="get_weather" ind',
        finish="length",
        invalid=(("get_weather", "{}", "functions.get_weather:0"),),
    ),
    case(
        "cut after the tag of a call",
        opened("tools") + CALL,
        finish="length",
        invalid=(("get_weather", "{}", "functions.get_weather:0"),),
    ),
    case(
        "cut in the second call",
        opened("tools") + ONE + CALL + '<|open|>argument key="ci',
        WEATHER,
        finish="length",
        ends="length",
        invalid=(("get_weather", "{}", "functions.get_weather:1"),),
    ),
    case(
        "a word for a number",
        section(tagged("list_files", argument("depth", "two", "number"))),
        invalid=(("list_files", '{"depth": "two"}', "functions.list_files:0"),),
    ),
    case(
        "broken JSON",
        section(tagged("get_weather", raw_json('{"city": "Par'))),
        invalid=(("get_weather", '{"city": "Par', "functions.get_weather:0"),),
    ),
]


def stray(name: str, text: str, content: str, **expected: Any) -> Case:
    """Return a case with tags that are removed."""
    return case(name, text, content=content, source="vllm-project/vllm#51399", **{"repairs": {"markup": 1}, **expected})


STRAY = [
    stray("end of the message alone", "Hello" + closed("message"), "Hello"),
    stray("end of the message and its token", "Hello." + closed("message") + END_OF_MESSAGE, "Hello."),
    stray("end of the response", "Hello." + closed("response"), "Hello."),
    stray("both ends", "Hello.\n" + closed("response") + closed("message") + END_OF_MESSAGE + "\n", "Hello.\n\n"),
    stray("blanks in the tag", "Hello.<|close|> message <|sep|>", "Hello."),
    stray("a response in tags", opened("response") + "Hello." + closed("response"), "Hello.", repairs={"markup": 2}),
    stray("the beginning of a response", opened("response") + "Hello.", "Hello."),
    stray("late end of the reasoning before a text", closed("think") + opened("response") + "Hello.", "Hello."),
    stray("end of the reasoning in the text", "." + closed("think") + opened("response") + "Hello.", ".Hello."),
    stray("an empty section", "Hello." + section(), "Hello."),
    stray("a section begun", "Hello.\n" + opened("tools"), "Hello.\n"),
    stray("an end cut", "Hello.<|close|>mess", "Hello.", finish="length"),
    stray("the token of the end", "Hello." + END_OF_MESSAGE, "Hello."),
    stray("an end in the middle", "Hello." + closed("response") + "\nMore.", "Hello.\nMore."),
    stray(
        "reasoning in the content",
        opened("think") + "Hm." + closed("think") + opened("response") + "Hello.",
        "Hello.",
        reasoning="Hm.",
        repairs={"markup": 2},
    ),
    stray(
        "another message",
        "Hello." + closed("message") + END_OF_MESSAGE + opened("message", role="user") + "And?" + closed("message"),
        "Hello.",
    ),
    stray("the beginning of another message", "Hello." + END_OF_MESSAGE + "\n<|open|>message role", "Hello."),
    stray("the end of the document", "Hello." + END_OF_MESSAGE + "[EOS]", "Hello."),
    stray(
        "an assistant's message",
        opened("message", role="assistant") + "Hello." + closed("message"),
        "Hello.",
        repairs={"markup": 2},
    ),
    stray("ends behind cut arguments", 'yyy"]}]}' + closed("argument") + closed("call") + closed("tools"), 'yyy"]}]}'),
]

TAGS: list[Case] = [*CALLS, *VALUES, *INVALID, *STRAY]
