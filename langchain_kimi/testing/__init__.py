"""For tests of what uses OpenRouter: a loopback OpenRouter with its habits and faults."""

from langchain_kimi.testing import faults
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.emulator import Emulator
from langchain_kimi.testing.received import ReceivedRequest
from langchain_kimi.testing.replies import RawReply, Reply, ToolCall
from langchain_kimi.testing.serving import Fault

__all__ = ["Behavior", "Emulator", "Fault", "RawReply", "ReceivedRequest", "Reply", "ToolCall", "faults"]
