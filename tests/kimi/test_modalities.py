import copy
import pickle

import pytest

from langchain_kimi._kimi.outgoing import check_modalities
from langchain_kimi._openrouter.wire import JSONObject, WireMessage
from langchain_kimi.errors import KimiUsageError

TEXT = {"type": "text", "text": "What is this?"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
VIDEO = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}
OLD_VIDEO = {"type": "input_video", "video_url": {"url": "data:video/mp4;base64,AAAA"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}}

K2, K26, K3 = "moonshotai/kimi-k2-0905", "moonshotai/kimi-k2.6", "moonshotai/kimi-k3"


def asking(*parts: JSONObject) -> list[WireMessage]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": list(parts)}]


@pytest.mark.parametrize(
    ("part", "modality"),
    [(IMAGE, "image"), (VIDEO, "video"), (OLD_VIDEO, "video"), (AUDIO, "audio")],
)
def test_media_for_a_text_model_are_refused(part: JSONObject, modality: str) -> None:
    with pytest.raises(KimiUsageError, match=modality) as caught:
        check_modalities(K2, asking(TEXT, part))
    assert "messages[1].content[1]" in str(caught.value)
    assert K2 in str(caught.value)
    assert caught.value.model == K2


def test_the_error_names_models_that_accept_images() -> None:
    with pytest.raises(KimiUsageError) as caught:
        check_modalities(K2, asking(IMAGE))
    assert K26 in str(caught.value)
    assert K3 in str(caught.value)
    assert "kimi-k2.5" not in str(caught.value), "one that is being retired is no advice"


def test_the_error_for_audio_names_no_model() -> None:
    with pytest.raises(KimiUsageError) as caught:
        check_modalities(K3, asking(AUDIO))
    assert caught.value.advice == "No Kimi model accepts it: send text instead."


def test_an_image_in_a_tool_result_is_refused() -> None:
    messages = asking(TEXT)
    messages.append({"role": "assistant", "content": None})
    messages.append({"role": "tool", "tool_call_id": "functions.look:0", "content": [IMAGE]})
    with pytest.raises(KimiUsageError, match=r"messages\[3\]\.content\[0\]"):
        check_modalities("moonshotai/kimi-k2-thinking:nitro", messages)


def test_all_models_are_named_once() -> None:
    with pytest.raises(KimiUsageError, match="which moonshotai/kimi-k2-0905 and moonshotai/kimi-k2 cannot read"):
        check_modalities(K2, asking(IMAGE), [K2, "moonshotai/kimi-k2"])


@pytest.mark.parametrize(
    ("model", "part", "models"),
    [
        (K2, TEXT, ()),
        (K2, FILE, ()),
        (K26, IMAGE, ()),
        (K26, VIDEO, ()),
        (K3, VIDEO, ()),
        ("moonshotai/kimi-k4", AUDIO, ()),
        ("~moonshotai/kimi-latest", AUDIO, ()),
        ("google/gemini-3-pro", AUDIO, ()),
        ("moonshotai/kimi-dev-72b", IMAGE, ()),
        ("@preset/x", IMAGE, ()),
        ("moonshotai/kimi-k2@preset/x", IMAGE, ()),
        (K2, IMAGE, (K26,)),
        (K2, IMAGE, ("moonshotai/kimi-k2", "openai/gpt-4o")),
        (K26, AUDIO, ("openrouter/auto",)),
        ("", IMAGE, ()),
        ("", IMAGE, (K3,)),
    ],
)
def test_accepted_media_pass(model: str, part: JSONObject, models: tuple[str, ...]) -> None:
    messages = asking(TEXT, part)
    before = copy.deepcopy(messages)
    check_modalities(model, messages, models)
    assert messages == before


def test_fallbacks_alone_are_checked_too() -> None:
    with pytest.raises(KimiUsageError, match="moonshotai/kimi-k2-0905"):
        check_modalities("", asking(IMAGE), [K2])


def test_the_error_can_be_pickled() -> None:
    with pytest.raises(KimiUsageError) as caught:
        check_modalities(K2, asking(IMAGE))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own bytes
