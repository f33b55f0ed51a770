"""The command line: `langchain-kimi COMMAND`, or `python -m langchain_kimi COMMAND`.

A command is a module of `commands`, which is found by its name. It has a `HELP` text, `arguments(parser)`, and
`run(options, out)`, which returns the exit code.
"""
