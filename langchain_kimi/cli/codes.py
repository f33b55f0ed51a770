"""The exit codes of the command line."""

SUCCESS = 0
FAILED = 1
WRONG = 2
"""Wrong arguments; argparse ends with this code, too."""
CHECK_FAILED = 3
OFFLINE = 4
INTERRUPTED = 130
