"""What subcommands that print rows have in common: which stretch of time, and how many."""

import click

from tracedbg.errors import UsageError

between_option = click.option(
    "--between", metavar="A..B", help="Only from moment A up to B, without B; two positions."
)
"""Adds ``--between``."""

limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="The first N only."
)
"""Adds ``--limit``."""

no_tasks_option = click.option(
    "--no-tasks",
    "with_tasks",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Leave out which task it was: that takes a pass over the whole trace.",
)
"""Adds ``--no-tasks``, whose function takes it as ``with_tasks``."""


def window_of(between: str | None) -> tuple[str, str] | None:
    """Return the two positions of ``--between``, None where it was not given."""
    if between is None:
        return None
    first, dots, last = between.partition("..")
    if not dots or not first.strip() or not last.strip():
        raise UsageError(f"--between {between}: write two positions with two dots, such as 1000..end")
    return first.strip(), last.strip()


def say_more(left_out: int) -> None:
    """Say on standard error how many rows were not shown, if any."""
    if left_out > 0:
        click.echo(f"{left_out:,} more; --limit shows them", err=True)
