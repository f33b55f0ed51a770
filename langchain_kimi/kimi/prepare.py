"""Kimi's habits, met on the way out: a body in, the body that is sent."""

from langchain_kimi.kimi.modalities import check_modalities
from langchain_kimi.openrouter.wire import WireBody


def prepare(body: WireBody) -> WireBody:
    """Make a body fit for the model that it names.

    Raises:
        KimiRequestError: the model cannot take what the messages hold.
    """
    check_modalities(body.get("model", ""), body["messages"], body.get("models") or ())
    return body
