"""An MCP server with tools of every kind of result: `python -m tests.agents.mcp_server` speaks stdio."""

import base64
from collections.abc import Callable
from typing import Any

from mcp.server.fastmcp import FastMCP, Image
from mcp.types import (
    BlobResourceContents,
    EmbeddedResource,
    ResourceLink,
    TextResourceContents,
)
from pydantic import AnyUrl, BaseModel

# A transparent picture of one pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DOCUMENT = base64.b64encode(b"%PDF-1.4 one page").decode()


class Report(BaseModel):
    """The weather of a day."""

    city: str
    degrees: float
    is_sunny: bool


def weather(city: str) -> Report:
    """Tell the weather in a city."""
    return Report(city=city, degrees=21.5, is_sunny=True)


def read(path: str) -> EmbeddedResource:
    """Read a text file."""
    text = TextResourceContents(uri=AnyUrl(f"file:///{path}"), mimeType="text/plain", text=f"The text of {path}.")
    return EmbeddedResource(type="resource", resource=text)


def scan(path: str) -> EmbeddedResource:
    """Read a file as a PDF document."""
    blob = BlobResourceContents(uri=AnyUrl(f"file:///{path}"), mimeType="application/pdf", blob=DOCUMENT)
    return EmbeddedResource(type="resource", resource=blob)


def photo(path: str) -> EmbeddedResource:
    """Read a file as a photo."""
    blob = BlobResourceContents(uri=AnyUrl(f"file:///{path}"), mimeType="image/png", blob=PIXEL)
    return EmbeddedResource(type="resource", resource=blob)


def plot(city: str) -> Image:
    """Draw the weather of a city as a picture."""
    del city
    return Image(data=base64.b64decode(PIXEL), format="png")


def links(topic: str) -> list[ResourceLink]:
    """Return links to a text, a picture, a drawing, a document and a page of unknown type about a topic."""
    uris = {
        "notes.txt": "text/plain",
        "map.png": "image/png",
        "map.svg": "image/svg+xml",
        "paper.pdf": "application/pdf",
        "page": None,
    }
    return [
        ResourceLink(type="resource_link", name=name, uri=AnyUrl(f"https://example.com/{topic}/{name}"), mimeType=kind)
        for name, kind in uris.items()
    ]


def fail(reason: str) -> str:
    """Fail."""
    raise ValueError(reason)


TOOLS: dict[str, Callable[..., Any]] = {
    "weather": weather,
    "disk.read": read,
    "disk.scan": scan,
    "disk.photo": photo,
    "2d_plot": plot,
    "list-links": links,
    "fail": fail,
}
"""The tools by name. Hosts refuse some of these names."""


def server(*, many: int = 0, **settings: Any) -> FastMCP:
    """Return a server with the tools, and with `many` more of one kind."""
    result = FastMCP("weather and files", log_level="ERROR", **settings)
    for name, function in TOOLS.items():
        result.add_tool(function, name=name)
    for number in range(many):
        result.add_tool(weather, name=f"station_{number:03}", description=f"Tell the weather at the station {number}.")
    return result


if __name__ == "__main__":
    server().run("stdio")
