"""The subcommands by name: where each is and what it is for, so that ``--help`` loads none of them."""

import importlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SUBCOMMANDS = {
    "record": "Record a command's QEMU: every instruction, register write and memory access.",
    "attach": "Make a trace of a guest that runs already, through the gdbstub of any QEMU.",
    "verify": "Prove that a trace is true, by computing all of it again from the file alone.",
    "info": "Say what a trace holds: how much, of which machine, and how it ended.",
    "console": "Print what the guest printed, each line with the t of its first byte.",
    "analyze": "Say what went wrong: which store, from which stack, into whose memory, and who used it.",
    "replay": "Look at a trace on a screen, and step through time in both directions.",
    "state": "Show the machine at a moment: registers, code, and the call stack.",
    "who": "Say who last wrote a byte of memory, and from which call stack.",
    "why": "Say where a value came from, back to where it was made, or why the guest faulted.",
    "what": "Say what an address is: whose memory, which symbol or frame, and who wrote it last.",
    "calls": "List the system calls that user mode made, with arguments and results.",
    "traps": "List the traps that harts took: exceptions, interrupts and calls, with cause, place and task.",
    "tasks": "List the tasks that ran: who, when, and for how long.",
    "stacks": "List the stacks outside user mode: where each begins and ends, and how low it came.",
    "spaces": "List the address spaces: when each was in use, its page tables and its user pages.",
    "accesses": "List who loaded, stored or otherwise changed bytes of memory.",
    "plugins": "List the detectors that analyze runs, and what each needs.",
    "serve": "Let a stock gdb debug a trace, forwards and backwards, through its remote protocol.",
    "gdb": "Start gdb on a trace, with its symbols, or run a gdb session that is kept as a script.",
    "repair": "Make a whole trace of one that was cut short or damaged, or of an interrupted recording.",
    "doctor": "Say what this machine lacks for recording, and how to get it.",
    "completion": "Print the script that completes tracedbg's command line in a shell.",
}
"""A line of help for each subcommand, in the order of ``--help``; the module of that name has ``command``."""


class Subcommands(click.Group):
    """A group that imports a subcommand's module only when that subcommand runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a person meets them."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Loads one subcommand; None when there is none of that name."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command = importlib.import_module(f"tracedbg.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the table of subcommands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUBCOMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """The subcommands that begin with ``incomplete``, and the group's own options."""
        from click.shell_completion import CompletionItem

        begun = [name for name in SUBCOMMANDS if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=SUBCOMMANDS[name]) for name in begun), *options]
