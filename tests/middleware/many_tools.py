"""Two hundred tools, such as those of a few MCP servers together."""

from typing import Any

from langchain_core.tools import BaseTool, StructuredTool

SERVICES = {
    "github": "repository", "calendar": "event", "mail": "message", "drive": "file", "crm": "contact",
    "jira": "ticket", "slack": "channel", "stripe": "invoice", "shop": "order", "warehouse": "parcel",
    "payroll": "salary", "hotel": "booking", "airline": "flight", "library": "book", "clinic": "appointment",
    "school": "course", "garage": "vehicle", "newsroom": "article", "museum": "exhibit", "farm": "harvest",
}  # fmt: skip
"""Twenty services, and the things that they manage."""
ACTIONS = {
    "create": "Create a new {thing} with the given fields, and return its id.",
    "get": "Return one {thing} with all of its fields.",
    "list": "List each {thing} that matches a filter, the newest first, with its id and its state.",
    "update": "Change some fields of a {thing}. Fields that are not given stay as they are.",
    "delete": "Delete a {thing} for good. Only its owner can do that.",
    "archive": "Move a {thing} to the archive, where it stays for seven years.",
    "share": "Give another person access to a {thing}, to read it or to change it.",
    "export": "Write a {thing} to a PDF document, and return the address of the document.",
    "comment": "Add a comment to a {thing}, which all its followers get.",
    "history": "Return the changes of a {thing}, with their times and their authors.",
}
"""Ten things that each service can do."""


def many_tools(**options: Any) -> list[BaseTool]:
    """Return two hundred tools; `options` are further arguments of each."""
    return [
        _tool(f"{service}_{action}", f"{description.format(thing=thing)} Part of {service}.", options)
        for service, thing in SERVICES.items()
        for action, description in ACTIONS.items()
    ]


def _tool(name: str, description: str, options: dict[str, Any]) -> BaseTool:
    def run(item: str, fields: str = "", limit: int = 10) -> str:
        return f"{name}({item!r}, {fields!r}, {limit})"

    schema = {
        "type": "object",
        "properties": {
            "item": {"type": "string", "description": "The id or the name of the item."},
            "fields": {"type": "string", "description": "The fields, as JSON.", "default": ""},
            "limit": {"type": "integer", "description": "The most items to return.", "default": 10},
        },
        "required": ["item"],
    }
    return StructuredTool.from_function(run, name=name, description=description, args_schema=schema, **options)
