"""The exit codes of the command line."""

SUCCESS = 0
FAILED = 1
WRONG = 2
"""Wrong arguments; argparse ends with this code, too."""
CHECK_FAILED = 3
OFFLINE = 4
INTERRUPTED = 130
NO_READER = 141
"""The program that reads stdout ended, such as `head`. Other programs end with this code, too (128 and SIGPIPE)."""
