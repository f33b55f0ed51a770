"""The command line; see `langchain_kimi.cli`."""

import sys

from langchain_kimi.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
