"""Calls that many cases share, as markup and as expected calls."""

from tests.kimi.corpus.cases import Call, markup

PARIS = '{"city": "Paris"}'
WEATHER = ("get_weather", {"city": "Paris"}, "functions.get_weather:0")
ROME = ("get_weather", {"city": "Rome"}, "functions.get_weather:1")
TIME: Call = ("get_time", {}, "functions.get_time:0")
ONE = markup("functions.get_weather:0", PARIS)
TWO = markup("functions.get_weather:1", '{"city": "Rome"}')


def named(call_id: str, name: str = "get_weather", city: str = "Paris") -> tuple[str, dict[str, str], str]:
    """Return the expected call for a city."""
    return (name, {"city": city}, call_id)
