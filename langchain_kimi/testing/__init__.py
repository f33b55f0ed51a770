"""An emulator of OpenRouter on loopback, with its quirks and faults, for tests of programs that use OpenRouter."""

from langchain_kimi.testing import faults
from langchain_kimi.testing.batches import BatchEnding
from langchain_kimi.testing.behavior import Behavior
from langchain_kimi.testing.emulator import Emulator
from langchain_kimi.testing.hosts import SAMPLE_HOSTS, EmulatedHost
from langchain_kimi.testing.received_requests import ReceivedRequest
from langchain_kimi.testing.replies import RawReply, Reply, ServerToolCall, ToolCall
from langchain_kimi.testing.responses import Fault

__all__ = [
    "SAMPLE_HOSTS",
    "BatchEnding",
    "Behavior",
    "EmulatedHost",
    "Emulator",
    "Fault",
    "RawReply",
    "ReceivedRequest",
    "Reply",
    "ServerToolCall",
    "ToolCall",
    "faults",
]
