"""How a file becomes a subcommand: its docstring is its help."""

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], click.Command]


def subcommand(documentation: str | None, context_settings: dict[str, Any] | None = None) -> Decorator:
    """Makes a function the command of its module, whose docstring is handed in.

    The function's return value, where it is a number, is the exit code.
    """
    return click.command(help=keep_layout(documentation or ""), context_settings=context_settings)


def keep_layout(documentation: str) -> str:
    """Marks indented paragraphs (examples, lists) so that click prints their lines as they stand."""
    paragraphs = documentation.strip().split("\n\n")
    return "\n\n".join(f"\b\n{text}" if text.startswith("  ") else text for text in paragraphs)
