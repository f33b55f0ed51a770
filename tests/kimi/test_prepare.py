import copy

import pytest

from langchain_kimi.errors import KimiRequestError
from langchain_kimi.kimi.prepare import prepare
from langchain_kimi.openrouter.wire import WireBody, WireMessage

PICTURE: WireMessage = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aW1n"}}],
}


def test_a_fit_body_stays_as_it_is() -> None:
    body: WireBody = {"model": "moonshotai/kimi-k2.5", "messages": [PICTURE], "models": ["other/model"]}
    before = copy.deepcopy(body)
    assert prepare(body) == before


@pytest.mark.parametrize(
    "body", [{"model": "moonshotai/kimi-k2-0905"}, {"models": ["moonshotai/kimi-k2-0905", "moonshotai/kimi-k2"]}]
)
def test_what_no_asked_model_can_see_is_refused(body: WireBody) -> None:
    with pytest.raises(KimiRequestError, match=r"messages\[0\]\.content\[0\] holds image input"):
        prepare({**body, "messages": [PICTURE]})


def test_a_fallback_that_sees_is_enough() -> None:
    body: WireBody = {
        "model": "moonshotai/kimi-k2-0905",
        "models": ["moonshotai/kimi-k2.5"],
        "messages": [PICTURE],
    }
    assert prepare(body) is body
