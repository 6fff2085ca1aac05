"""The command ``tracedbg``: runs a subcommand and is the one place where its errors are shown."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import click
from click.exceptions import NoArgsIsHelpError

from tracedbg import __version__
from tracedbg.cli.commands import Subcommands
from tracedbg.cli.subcommand import keep_layout
from tracedbg.errors import TracedbgError

PROGRAM = "tracedbg"
FAILURE = 1
BUG = 70
INTERRUPTED = 130
SIGNALLED = 128
"""And the signal's number, as shells have it."""

HELP = """Record a whole guest under QEMU, and ask the recording anything, in either direction of time.

Positions in time are written 12345, end, end-1000, last-kernel, sys_futex, sys_futex#3 or pc=0x80200000.

    tracedbg record -o trace.bin -- qemu-system-riscv64 -machine virt -nographic -kernel kernel.elf
    tracedbg verify trace.bin
    tracedbg replay trace.bin
"""


@click.group(
    cls=Subcommands, help=keep_layout(HELP), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def tracedbg(context: click.Context) -> None:
    """Settles what holds for every subcommand."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 0, 1 for a failure, 2 for wrong usage, 70 for a bug, 130 on Ctrl-C.

    SystemExit when a signal ends it.
    """
    try:
        with _leaves_nothing_behind():
            result = tracedbg.main(args=arguments, prog_name=PROGRAM, standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_has_gone()
    except NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except (click.ClickException, TracedbgError, OSError) as error:
        click.echo(f"{PROGRAM}: {sentence(error)}", err=True)
        return error.exit_code if isinstance(error, click.ClickException | TracedbgError) else FAILURE
    except Exception as error:  # noqa: BLE001  a bug ends here, visibly, with a code of its own
        _show_bug(error)
        return BUG
    return result if isinstance(result, int) else 0


@contextmanager
def _leaves_nothing_behind() -> Iterator[None]:
    """Lets temporary files, children and the terminal be seen to when a signal ends the program."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(SIGNALLED + number)

    is_main = threading.current_thread() is threading.main_thread()
    signals = (signal.SIGTERM, signal.SIGHUP) if is_main else ()
    # One that is ignored, as nohup has it, stays so.
    taken = [number for number in signals if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def sentence(error: click.ClickException | TracedbgError | OSError) -> str:
    """One line that says what happened and, where it is known, what to do."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{_one_line(error.format_message()).rstrip('.')} (see {error.ctx.command_path} --help)"
    if isinstance(error, click.ClickException):
        return _one_line(error.format_message())
    if isinstance(error, OSError) and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _reader_has_gone() -> int:
    # What is still buffered has nowhere to go; without this the interpreter would complain as it exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILURE


def _show_bug(error: Exception) -> None:
    if os.environ.get("TRACEDBG_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    what = traceback.format_exception_only(error)[-1].strip()
    click.echo(
        f"{PROGRAM}: this is a bug in tracedbg: {_one_line(what)}; "
        "please report it with what TRACEDBG_DEBUG=1 prints",
        err=True,
    )
