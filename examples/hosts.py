"""Check a key and the hosts of a model, and measure which hosts serve tools well.

With OPENROUTER_API_KEY in the environment this asks OpenRouter, and measures the hosts for at most five cents. Without
the key it uses the package's emulator of OpenRouter on this machine, with hosts that have planted faults.
"""

import os
from collections.abc import Sequence

from langchain_kimi.cli.main import main as langchain_kimi


def show(purpose: str, *arguments: str) -> None:
    """Print the purpose of a command and the command, and run it."""
    print(f"\n{purpose}\n$ langchain-kimi {' '.join(arguments)}")
    langchain_kimi(arguments)


def commands(more: Sequence[str]) -> None:
    """Run the commands, with further options."""
    show(
        "Check the key, and list the hosts. The last line is the model to use for tools at 4 USD per million tokens.",
        *("doctor", "--tools", "--max-price", "4", *more),
    )
    show(
        "Call tools and request objects on each host, and count the good answers. The last line is the model to use.",
        *("verify", "--max-cost", "0.05", *more),
    )


def main() -> None:
    """Ask OpenRouter, or the emulator if there is no key."""
    if os.environ.get("OPENROUTER_API_KEY"):
        print("Asking OpenRouter, with the key from OPENROUTER_API_KEY.")
        commands(["moonshotai/kimi-k2-0905"])
        return
    from langchain_kimi.testing import SAMPLE_HOSTS, Behavior, Emulator  # noqa: PLC0415 - needed only without a key

    print("Asking the emulator, whose hosts have planted faults, because OPENROUTER_API_KEY is not set.")
    with Emulator(behavior=Behavior(hosts=SAMPLE_HOSTS)) as openrouter:
        os.environ["OPENROUTER_API_KEY"] = "no-key-needed"
        commands(["--base-url", openrouter.base_url])


if __name__ == "__main__":
    main()
