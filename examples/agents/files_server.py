"""A small MCP server over stdio for the files of one folder, for machines without Node: `files_server.py FOLDER`.

Its tools have the names and arguments of the official server's, which has more of them.
"""

import sys
from pathlib import Path

from mcp.server.fastmcp import FastMCP
from pydantic import BaseModel, Field


class Edit(BaseModel):
    """A replacement of text."""

    oldText: str = Field(description="Text to search for - must match exactly")  # noqa: N815 - the official name
    newText: str = Field(description="Text to replace it with")  # noqa: N815 - the official name


class Folder:
    """The tools for one folder. Paths outside it are refused, also those through symbolic links."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def _inside(self, path: str) -> Path:
        full = (self._root / path).resolve()
        if not full.is_relative_to(self._root):
            raise ValueError(f"Access denied: {path} is outside {self._root}.")
        return full

    def list_directory(self, path: str) -> str:
        """List the files and folders in a folder."""
        entries = sorted(self._inside(path).iterdir())
        return "\n".join(f"[{'DIR' if entry.is_dir() else 'FILE'}] {entry.name}" for entry in entries)

    def read_text_file(self, path: str) -> str:
        """Read the complete contents of a text file."""
        return self._inside(path).read_text(encoding="utf-8")

    def write_file(self, path: str, content: str) -> str:
        """Create a file, or replace all its contents."""
        self._inside(path).write_text(content, encoding="utf-8")
        return f"Successfully wrote to {path}"

    def edit_file(self, path: str, edits: list[Edit]) -> str:
        """Replace texts in a file. Each old text must be in the file exactly once."""
        file = self._inside(path)
        content = file.read_text(encoding="utf-8")
        for edit in edits:
            if content.count(edit.oldText) != 1:
                raise ValueError(f"This text is {content.count(edit.oldText)} times in {path}: {edit.oldText}")
            content = content.replace(edit.oldText, edit.newText)
        file.write_text(content, encoding="utf-8")
        return f"Edited {path}, {len(edits)} places"


def main() -> None:
    """Serve the folder of the first argument."""
    folder = Folder(Path(sys.argv[1]))
    server = FastMCP("files", log_level="ERROR")
    for tool in (folder.list_directory, folder.read_text_file, folder.write_file, folder.edit_file):
        server.add_tool(tool)
    server.run("stdio")


if __name__ == "__main__":
    main()
