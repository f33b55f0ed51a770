"""Messages of providers: which of them report that the prompt exceeds the context."""

import pytest

from langchain_kimi._openrouter.overflow import MAX_CHARACTERS, reports_overflow
from tests.openrouter.failure_cases import OVERFLOWS

REPORTS = [
    *OVERFLOWS,
    "Input length (200000 tokens) exceeds the maximum allowed length (131066 tokens). Use a shorter input or",
    "length of prompt_tokens (12345) must be less than max_seq_len (8192).",
    "total message size 5242880 exceeds limit 4194304",
    "prompt token count of 130000 exceeds the limit of 128000",
    "Prompt contains 50000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "model_context_window_exceeded",
    "prompt too long; exceeded max context length by 4 tokens",
    "Range of input length should be [1, 129024]",
    "InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]",
    "Total tokens of image and text exceed max message tokens",
    "Requested token count exceeds the model's maximum context length of 131072 tokens. You requested a tota",
    "Input validation error: `inputs` must have less than 8193 tokens. Given: 9000",
    "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
    "Unable to submit request because the input token count is 2000000 but model only supports up to 1048576",
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length",
    "the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model",
    "5021: The estimated number of input and maximum output tokens (9000) exceeded this model context window",
    "Prompt length (9000) exceeds maximum input length (8192). Set log level to info",
    "The sum of prompt length (9000) and query length should not exceed max_num_tokens (8192)",
    "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 327",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "Prompt exceeds max length",
    "Prompt 超长",
    "输入长度超过模型最大上下文长度",
    "Invalid 'messages[0].content': string too long. Expected a string with maximum length 10485760, but got",
    "string_above_max_length",
    "The prompt does not fit into the context window",
    "Too many input tokens",
    "input tokens exceed the configured limit",
    "the input length exceeds the context length",
    "Request has 300000 input tokens which is more than the allowed 262144",
    "Token limit exceeded: prompt has 300000 tokens",
    "This request would exceed the model's token limit of 262144",
    "max_prompt_tokens must be less than 8192",
    "The conversation is too long, please start a new one (200000 tokens)",
    "context size exceeded",
    "Your messages are too long: 300000 tokens",
    "Requested tokens (9000) exceed context window of 4096",
    "Total number of tokens exceeds the limit of 8192",
    "This model only supports 8192 tokens of context, you sent 9000",
    "Input sequence length 9000 is larger than max model len 8192",
    "max_seq_len exceeded",
    "the length of the input (9000) is over the limit of 8192 tokens",
    "The input prompt is too long (12000 tokens), the limit is 8192 tokens",
    "input is too long: 9000 tokens",
    "n_ctx exceeded: prompt is larger than context",
    "The total length of the messages must not exceed 262144 tokens",
    "prompt: length 200000 > 131072",
    "requested context of 300000 tokens is greater than the maximum of 262144",
    "tokens_in_prompt + max_tokens = 300000 > 262144",
    "Message too long for context",
    "The request is too large for the context window of 128k tokens",
]
OTHERS = [
    "Invalid value for max_tokens",
    "The context must be a string",
    "too many tokens per minute",
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provi",
    "Invalid 'tools[0].function.description': string too long. Expected a string with maximum length 1024",
    "max_tokens (40000) exceeds the maximum output tokens (8192)",
    "The maximum tokens you requested exceeds the model limit of 4096",
    "You exceeded your current quota, please check your plan",
    "Request took too long to process the prompt",
    "Too many images in the input",
    "image too large: 20MB limit exceeded",
    "Token limit reached",
    "Invalid 'messages[1].name': string too long",
    "Invalid 'user': string too long. Expected a string with maximum length 64",
    "Key limit exceeded (total limit).",
    "Rate limit exceeded: tokens per min",
    "Requests to the prompt endpoint exceeded the deadline",
    "Payload Too Large",
    "stop sequences must be at most 4",
    "The answer was longer than the limit of 16 MiB",
    "Invalid tool_choice",
    "temperature must be less than 2",
    "n must be less than 10",
    "top_logprobs must be less than or equal to 20",
    "Upstream closed",
    "The answer was longer than the limit of 16 tokens.",
    "Insufficient credits: you requested up to 65536 tokens, but can only afford 1000",
    "tool_call_id too long in messages[1]",
    "messages must not be empty",
    "messages: at least one message is required",
    "The prompt cache key must be at most 64 characters",
    "max_tokens must be greater than 0",
    "max_tokens must be at least 16",
    "This request requires more credits, or fewer max_tokens.",
    "function name must be at most 64 characters",
    "prompt must be a string",
    "Invalid input: must be JSON",
]


@pytest.mark.parametrize("message", REPORTS)
def test_a_report_of_an_overflow_is_recognized(message: str) -> None:
    assert reports_overflow(message)
    assert reports_overflow(message.upper())
    assert reports_overflow(f"Upstream error. {message} Try again.")


@pytest.mark.parametrize("message", OTHERS)
def test_other_messages_report_no_overflow(message: str) -> None:
    assert not reports_overflow(message)


def test_only_the_begin_of_a_long_text_counts() -> None:
    assert not reports_overflow("x" * MAX_CHARACTERS + OVERFLOWS[0])
