"""An estimate of the tokens that a text has for Kimi, without its vocabulary.

The text is split about where Kimi's tokenizer splits it (a word with the sign before it, up to three digits, a run of
signs, white space), and each piece counts as the average of such pieces. The averages of English words and of signs
were measured with two public vocabularies of the same kind and size, which have as many tokens for code as Kimi's
vocabulary in a published benchmark. Those of other scripts come from that benchmark; `docs/token-estimate.md` has the
sources and the errors.

Words of other languages in Latin letters have more tokens than English words. The language is decided again for every
`_WINDOW` words, so that a text has as many tokens as its parts, and a long text is not confused with a foreign one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from langchain_kimi._tokens.frequent_words import words_of
from langchain_kimi._tokens.word_costs import cost_of_word

# Average tokens of a run of 1, 2, 3, ... signs.
_SIGNS_IN_A_ROW = (1.0, 1.02, 1.73, 1.96, 2.26, 2.5, 3.0, 3.6)
_SIGNS_OF_JSON_IN_A_ROW = (1.0, 1.0, 1.03, 1.74, 1.75, 2.8, 3.3, 3.9)
_SIGNS_OF_JSON = frozenset('{}[]":,')
_SIGNS_PER_TOKEN = 2.0
# Sequences of signs that are one token each, from code, markup and JSON.
_FREQUENT_SIGNS = words_of(
    r'''!"); !</ !== "${ ")) "), "). "); "-- "../../ "./ "/> "/></ ":""," ":[" ":{" "</ ">< "></ "]), "]); #!/ '", '';
    '), '). '); ',' '-- '</ ()) ())) ())); ()); (), ()-> (). (): (); (){ (-- (__ )", )&&( ))); )), )); )-> :** *__ ++)
    ++; ,"\ ,\" --> ->{ .""" ."); .", ."," ..." ...") ../ .</ .__ /** /*. :', :// :/// ;</ <!-- ="" =""> ="# ="$ ="${
    ="- ="../ ="../../ ="/ ="_ =[" =[], =\" >", >.</ >:: ></ []. \", \",\" \": \":\" \":{\" \"> ])) ]); __( __(( __) });
    }->{'''
)
_RULER = re.compile(r"(.)\1{3,}|(?:\.\./){3,}")
_SIGNS_OF_RULER_IN_ONE = {**dict.fromkeys("-=*#_./~+", 40), "!": 8}
_SIGNS_OF_RARE_RULER_IN_ONE = 4
_SIGNS_OF_PARENTS_IN_ONE = 9
_RARE_SIGN = 0.62
_RARE_SIGN_IN_RULER = 0.57
_LONG_RULER = 8
_BLANKS_IN_ONE = 80
_LINES_IN_ONE = 40

_WINDOW = 50
_FEWEST_WORDS = 20
"""Words in a shorter window are too few to decide on a language; it is assumed to be that of the window before."""
# Unaccented words of a language with accents have more tokens than English words, depending on the share of accented
# words.
_FEW_ACCENTS = 0.05
_ACCENT_SLOPE = 4.0
_MOST_BY_ACCENTS = 0.15
_MOST_BY_EXTENDED_ACCENTS = 0.33
# A text without accents is in a foreign language if it has more function words of such languages than English ones.
_LEAST_FOREIGN = 0.08
_FEWEST_FOREIGN = 2
# In a list of names most words begin with a capital and differ. Names have more tokens than other words.
_CAPITALS_OF_NAMES = 0.6
_NAMES = 0.5
_FEWEST_NAMES = 20

_ENGLISH = words_of(
    "the of and to a in is that for it as with was on be by not this are or from at an if i you your we can "
    "will have which has but they all any no may must when their its were been would there one more than "
    "other such do return else def import class self const let var function new null true false void int "
    "static public end"
)
_FOREIGN_FACTORS = {
    # Languages of which the vocabulary has many words: Spanish, French, Portuguese, Italian, German.
    0.15: "el los las una unos por para como del este esta que sus muy cuando donde porque entre sobre le les des est "
    "dans pour qui sur une avec pas au aux ce cette sont mais ou leur nous vous il elle uma da dos das em nos nas seu "
    "sua foi ele ela isso di gli della che sono nel alla questo anche dei delle la de en un",
    # German.
    0.34: "der das und ist nicht mit ein eine einen dem den von zu auf im sich auch als wird sind oder bei aus nach",
    # Languages of which it has few words: Indonesian and Malay, Dutch, Tagalog, Swahili, Finnish, Estonian, Swedish,
    # Danish, Norwegian, Polish, Czech, Romanian, Hungarian, Turkish, Hausa, Somali, Zulu, Latin, romanized Hindi.
    0.48: "yang dan untuk dengan ini itu pada adalah dari ke dalam tidak akan oleh atau juga bisa karena saya anda "
    "kami "
    "mereka telah sudah lebih tersebut secara sebagai jika bahwa setiap di het een van niet zijn met voor dat er maar "
    "ook aan wordt deze naar om hij wij ang ng sa mga ay ko mo siya hindi kung nang isang ya wa kwa ni katika cha za "
    "hii kama lakini watu yake hiyo ja ei oli mutta kun niin joka ovat ole ka oma siis kui aga och att det som av inte "
    "med til og ikke jeg han vi har skal blev nie na jest jak tak od dla przez jako ale czy bylo je ve jsou byl cu din "
    "pe nu mai sau care este sunt az nem hogy egy meg csak ezt bir bu icin ile olarak daha su suka ba shi kuma waa oo "
    "ku iyo uu ayaa ukuthi futhi ngoba kodwa hai ki mein aur nahi yeh hain tha kya bhi et ad ut cum quod quae esse",
}
"""By how much more tokens words have in languages with these function words than in English."""
_FOREIGN = {word: factor for factor, words in _FOREIGN_FACTORS.items() for word in words_of(words)}

# Random characters, which are in no vocabulary: base64 and keys, and packed data with signs. In both, the words (as
# camelCase has them) are shorter than in names and code, and both cases are frequent. Paths and names of code have more
# separators than base64, and minified code has words that packed data lacks.
_RANDOM = re.compile(r"[A-Za-z0-9+/_-]{16,}+=*")
_PACKED = re.compile(r"[!-~]{40,160}")
_SHORT_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[+/_-]+")
_LETTERS_OF_SHORT_WORDS = 2.6
_LEAST_CASES = 0.15
_LEAST_CASES_OF_PACKED, _LEAST_SIGNS_OF_PACKED = 0.04, 0.2
_MOST_SEPARATORS = 0.08
_SEPARATOR = re.compile(r"[+/_-]")
_MOST_WORDS_OF_PACKED = 0.05
_WORD = re.compile(r"[a-z]{4,}|[A-Z]{5,}")
_RANDOM_PER_TOKEN, _PACKED_PER_TOKEN = 1.42, 1.6

# Letters per token, slightly below what a benchmark measured with Kimi's vocabulary on web pages.
LETTERS_PER_TOKEN = {
    "accented": 2.1,
    "extended": 1.7,
    "vietnamese": 1.25,
    "cyrillic": 2.3,
    "greek": 1.5,
    "hebrew": 1.45,
    "arabic": 1.7,
    "devanagari": 1.3,
    "indic": 1.2,
    "thai": 1.2,
    "kana": 1.15,
    "han": 1.6,
    "hangul": 1.0,
    "armenian": 0.9,
    "emoji": 0.55,
    "other": 0.5,
}

_SCRIPTS = {
    "cyrillic": r"\u0400-\u052f",
    "greek": r"\u0370-\u03ff\u1f00-\u1fff",
    "armenian": r"\u0530-\u058f\u10a0-\u10ff",
    "hebrew": r"\u0590-\u05ff",
    "arabic": r"\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe",
    "devanagari": r"\u0900-\u097f",
    "indic": r"\u0980-\u0dff",
    "thai": r"\u0e00-\u0e7f",
    "kana": r"\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f",
    "han": r"\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
    "hangul": r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "emoji": r"\u2600-\u27bf\ufe0e\ufe0f\u200d\U0001f000-\U0001faff",
}
_VIETNAMESE = r"\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9"
# Kimi's vocabulary has fewer words with letters of Latin Extended-A, as in Polish and Turkish, than with those of
# Latin-1.
_EXTENDED = r"\u0100-\u0151\u0154-\u017f"
_ACCENTED = r"\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u0300-\u036f\u1e00-\u1eff"
_ASCII_SIGNS = r"!-/:-@\[-`{-~"
_SIGNS = (
    _ASCII_SIGNS + r"\u00a1-\u00bf\u00d7\u00f7\u2010-\u205e\u20a0-\u20cf\u2100-\u23ff\u2500-\u25ff"
    r"\u3001-\u3004\u3008-\u301f\uff01-\uff0f\uff1a-\uff20"
)
_BEFORE_WORD = rf"(?:[^\S\r\n]|[{_ASCII_SIGNS}])?"
_PIECES = re.compile(
    rf"(?P<word>{_BEFORE_WORD}(?:[A-Z]*[a-z]++|[A-Z]++)(?![{_ACCENTED}])(?:'(?:s|t|re|ve|m|ll|d)\b)?)"
    rf"|(?P<vietnamese>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]*?[{_VIETNAMESE}][A-Za-z{_ACCENTED}]*)"
    rf"|(?P<extended>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]*?[{_EXTENDED}][A-Za-z{_ACCENTED}]*)"
    rf"|(?P<accented>{_BEFORE_WORD}[A-Za-z{_ACCENTED}]+)"
    r"|(?P<digits>[0-9]{1,3})"
    + "".join(rf"|(?P<{name}>[^\S\r\n]?[{letters}]+)" for name, letters in _SCRIPTS.items())
    + rf"|(?P<signs>[ ]?[{_SIGNS}]+[\r\n]*)"
    r"|(?P<lines>\s*[\r\n]+)"
    r"|(?P<blanks>\s+(?!\S)|\s)"
    r"|(?P<other>\S)"
)


def estimate_tokens(text: str) -> float:
    """Return the estimated tokens of a text, in time linear in its length.

    Args:
        text: The text.

    Returns:
        The number of tokens. It is a sum of averages and so not an integer.
    """
    random, text = _without(_RANDOM, _is_random, text)
    packed, text = _without(_PACKED, _is_packed, text)
    return random / _RANDOM_PER_TOKEN + packed / _PACKED_PER_TOKEN + sum(_tokens_of_windows(text))


def _without(runs: re.Pattern[str], is_meant: Callable[[str], bool], text: str) -> tuple[int, str]:
    """Return the length of the runs that are meant, and the text without them."""
    rest = runs.sub(lambda run: "" if is_meant(run[0]) else run[0], text)
    return len(text) - len(rest), rest


def _has_short_words(run: str, least_cases: float) -> bool:
    """Return whether a run has both cases, and words of a letter or two."""
    capitals = sum(map(str.isupper, run))
    small = sum(map(str.islower, run))
    if min(capitals, small) <= least_cases * len(run):
        return False
    words = _SHORT_WORD.findall(run)
    return sum(map(len, words)) < _LETTERS_OF_SHORT_WORDS * len(words)


def _is_random(run: str) -> bool:
    return len(_SEPARATOR.findall(run)) <= _MOST_SEPARATORS * len(run) and _has_short_words(run, _LEAST_CASES)


def _is_packed(run: str) -> bool:
    signs = len(run) - sum(map(str.isalnum, run))
    if signs <= _LEAST_SIGNS_OF_PACKED * len(run) or not _has_short_words(run, _LEAST_CASES_OF_PACKED):
        return False
    return sum(map(len, _WORD.findall(run))) <= _MOST_WORDS_OF_PACKED * len(run)


@dataclass(slots=True)
class _Window:
    """Tokens and words of one piece of a text.

    Attributes:
        other: Tokens of everything that is not an unaccented word in Latin letters.
        plain: Tokens of the unaccented words, as if they were English.
        accented: Tokens of the words with accents.
        extended: Tokens of those with letters of Latin Extended-A or of Vietnamese.
        words: The number of words after a space.
        english: The English function words among them.
        foreign: The foreign function words among them.
        factors: The sum of the factors of their languages.
        names: The different words that begin with a capital and continue with small letters.
    """

    other: float = 0.0
    plain: float = 0.0
    accented: float = 0.0
    extended: float = 0.0
    words: int = 0
    english: int = 0
    foreign: int = 0
    factors: float = 0.0
    names: set[str] = field(default_factory=set)

    def add_word(self, word: str) -> None:
        """Count a word for the decision on the language."""
        self.words += 1
        if word.istitle():
            self.names.add(word)
        word = word.lower()
        self.english += word in _ENGLISH
        if factor := _FOREIGN.get(word):
            self.foreign += 1
            self.factors += factor

    def factor(self) -> float:
        """Return by how much more tokens the unaccented words have than English words."""
        share = self.accented / (self.accented + self.plain) if self.accented else 0.0
        most = _MOST_BY_EXTENDED_ACCENTS if self.extended > self.accented / 2 else _MOST_BY_ACCENTS
        by_accents = min(max(0.0, share - _FEW_ACCENTS) * _ACCENT_SLOPE, most)
        least = max(_FEWEST_FOREIGN, _LEAST_FOREIGN * self.words, self.english + 1)
        by_words = self.factors / self.foreign if self.foreign >= least else 0.0
        is_names = len(self.names) > max(_FEWEST_NAMES, _CAPITALS_OF_NAMES * self.words)
        return max(by_accents, by_words, _NAMES if is_names else 0.0)


def _tokens_of_windows(text: str) -> Iterator[float]:
    window, factor, before = _Window(), 0.0, ""
    for piece in _PIECES.finditer(text):
        kind = piece.lastgroup or "other"
        characters = piece[0]
        if kind == "word":
            window.plain += cost_of_word(characters)
            if characters[0] == " " or before in _BEFORE_FIRST_WORD:
                window.add_word(characters.strip(" "))
                if window.words == _WINDOW:
                    factor = window.factor()
                    yield window.other + window.accented + window.plain * (1 + factor)
                    window = _Window()
        elif kind in _ACCENTED_KINDS:
            cost = _cost_of_script(characters, kind)
            window.accented += cost
            window.extended += cost if kind != "accented" else 0.0
        else:
            window.other += _COSTS.get(kind, _cost_of_script)(characters, kind)
        before = kind
    if window.words >= _FEWEST_WORDS or not factor:
        factor = window.factor()
    yield window.other + window.accented + window.plain * (1 + factor)


_ACCENTED_KINDS = frozenset({"accented", "extended", "vietnamese"})
_BEFORE_FIRST_WORD = frozenset({"", "lines", "blanks"})


def _cost_of_signs(piece: str, _kind: str) -> float:
    signs = piece.strip()
    if signs.isascii():
        return _cost_of_ascii_signs(signs)
    plain = "".join(filter(str.isascii, signs))
    cost = _RARE_SIGN_IN_RULER if len(signs) >= _LONG_RULER and len(set(signs)) == 1 else _RARE_SIGN
    return max(1.0, (len(signs) - len(plain)) * cost + (_cost_of_ascii_signs(plain) if plain else 0.0))


def _cost_of_ascii_signs(signs: str) -> float:
    if signs in _FREQUENT_SIGNS:
        return 1.0
    if len(signs) <= len(_SIGNS_IN_A_ROW):
        costs = _SIGNS_OF_JSON_IN_A_ROW if _SIGNS_OF_JSON.issuperset(signs) else _SIGNS_IN_A_ROW
        return costs[len(signs) - 1] if len(set(signs)) > 1 else _cost_of_ruler(signs)
    cost, others = 0.0, _RULER.sub(" ", signs).split()
    for ruler in _RULER.finditer(signs):
        cost += _cost_of_ruler(ruler[0])
    return cost + sum(max(1.0, len(other) / _SIGNS_PER_TOKEN) for other in others)


def _cost_of_ruler(ruler: str) -> float:
    if ruler.startswith("../"):
        return max(1.0, len(ruler) / _SIGNS_OF_PARENTS_IN_ONE)
    # A ruler of a sign that is often in rulers is a word of the vocabulary.
    return max(1.0, len(ruler) / _SIGNS_OF_RULER_IN_ONE.get(ruler[0], _SIGNS_OF_RARE_RULER_IN_ONE))


def _cost_of_blanks(piece: str, _kind: str) -> float:
    return max(1.0, len(piece) / _BLANKS_IN_ONE)


def _cost_of_lines(piece: str, _kind: str) -> float:
    return max(1.0, len(piece) / _LINES_IN_ONE)


_COMMON_HAN = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年日小学家高新市"
)
_LIST_OF_SYLLABLES = 12
_RARE_PER_TOKEN = {"han": 0.6, "hangul": 0.8}


def _cost_of_script(piece: str, kind: str) -> float:
    # The tokenizer separates Han characters from a space before them. In other scripts the space is part of the piece.
    blank = piece[0].isspace()
    per_token = LETTERS_PER_TOKEN[kind]
    if kind in _RARE_PER_TOKEN and len(piece) >= _LIST_OF_SYLLABLES and _COMMON_HAN.isdisjoint(piece):
        # A list of characters, most of them rare, rather than a text.
        per_token = _RARE_PER_TOKEN[kind]
    return (kind == "han" and blank) + max(1.0, (len(piece) - blank) / per_token)


_COSTS: dict[str, Callable[[str, str], float]] = {
    "digits": lambda _piece, _kind: 1.0,
    "signs": _cost_of_signs,
    "lines": _cost_of_lines,
    "blanks": _cost_of_blanks,
}
