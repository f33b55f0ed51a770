"""The service that the examples call: OpenRouter, or the emulator if there is no key."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from langchain_kimi.testing import Emulator


@contextmanager
def service() -> Iterator[None]:
    """Prepare the environment, which the workers inherit."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Calling OpenRouter, with the key from OPENROUTER_API_KEY.")
        yield
        return
    print("Calling the emulator, because OPENROUTER_API_KEY is not set.")
    with Emulator() as openrouter:
        os.environ |= {"OPENROUTER_API_KEY": "no-key-needed", "OPENROUTER_API_BASE": openrouter.base_url}
        yield
