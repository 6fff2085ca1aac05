"""Record a command's QEMU: every instruction, register write and memory access.

COMMAND is a QEMU command line, or anything that starts QEMU somewhere inside: make, cargo, a script. It
keeps its console, standard input, signals and exit code.

    tracedbg record -- qemu-system-riscv64 -machine virt -nographic -kernel kernel.elf
    tracedbg record -o smoke.bin --symbols target/kernel -- make run
    tracedbg record --start-at sys_futex --stop-at 250000000 -- ./smoke-test.sh

W is a symbol, an address with 0x, or a count of instructions.
"""

import time
from pathlib import Path

import click

from tracedbg.cli.output import size_text
from tracedbg.cli.progress import Progress
from tracedbg.cli.subcommand import subcommand
from tracedbg.record.host import Options, Recorder, Summary
from tracedbg.record.limits import plugin_limits

INTERVAL = 0.2


@subcommand(__doc__, context_settings={"ignore_unknown_options": False, "allow_interspersed_args": False})
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("trace.bin"), show_default=True,
              help="Where the trace goes.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a trace that exists.")
@click.option("--symbols", type=click.Path(exists=True, dir_okay=False, path_type=Path), multiple=True,
              help="ELF file with symbols of what runs in the guest; may be repeated.")  # fmt: skip
@click.option("--icount", is_flag=True, help="Tie the guest's clock to its instructions.")
@click.option(
    "--last", type=click.IntRange(min=1), metavar="N", help="Keep the newest N million instructions."
)
@click.option("--start-at", metavar="W", help="Record from the block that holds W on.")
@click.option("--stop-at", metavar="W", help="Record up to the block that holds W, and end QEMU there.")
@click.option("--keyframe-every", type=click.IntRange(min=1), metavar="N", hidden=True,
              help="All registers every N instructions; 1 checks the recorder.")  # fmt: skip
@click.option(
    "--no-sources", is_flag=True, help="Leave the source files that line tables name out of the trace."
)
@click.option("--level", type=click.IntRange(1, 19), default=1, hidden=True, help="zstd's level.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def command(
    output: Path, force: bool, symbols: tuple[Path, ...], icount: bool, last: int | None,
    start_at: str | None, stop_at: str | None, keyframe_every: int | None, no_sources: bool, level: int,
    command: tuple[str, ...],
) -> int:  # fmt: skip
    """Runs the command and says in a line what was recorded."""
    plugin = plugin_limits(start_at, stop_at, symbols, command)
    if keyframe_every is not None:
        plugin["keyframe"] = str(keyframe_every)
    options = Options(
        icount=icount, level=level, plugin=plugin, last=last, symbols=symbols, sources=not no_sources
    )
    recorder = Recorder(output, options, force=force)
    with Progress() as progress:
        drawing = _Drawing(recorder, progress)
        result = recorder.run(command, drawing.draw)
        drawing.tell_notes()
    for problem in result.problems:
        click.echo(f"tracedbg: {problem}", err=True)
    for summary in result.summaries:
        click.echo(f"tracedbg: {sentence(summary)}", err=True)
    return result.status


def sentence(summary: Summary) -> str:
    """What was recorded, in one line."""
    rate = f", {summary.size / summary.instructions:.2f} bytes each" if summary.instructions else ""
    how = summary.how.replace("-", " ")
    return (
        f"{summary.path}: {summary.instructions:,} instructions, {size_text(summary.size)}{rate},"
        f" ended by {how}"
    )


class _Drawing:
    """The line of progress: instructions, rate and size; and notes, each once, as they come."""

    def __init__(self, recorder: Recorder, progress: Progress) -> None:
        self._recorder = recorder
        self._progress = progress
        self._start = time.monotonic()
        self._told: set[tuple[int, str]] = set()

    def tell_notes(self) -> None:
        """Prints the notes that have not been printed yet."""
        for number, session in enumerate(list(self._recorder.sessions)):
            for note in list(session.notes):
                if (number, note) not in self._told:
                    self._told.add((number, note))
                    self._progress.wipe()
                    click.echo(f"tracedbg: {note}", err=True)

    def draw(self) -> None:
        """Draws it, then waits a moment."""
        self.tell_notes()
        sessions = self._recorder.sessions
        if sessions:
            count, size = sessions[-1].instructions, sessions[-1].size
            rate = count / max(time.monotonic() - self._start, 1e-9) / 1e6
            self._progress.show(f"recording: {count:,} instructions, {rate:.1f} M/s, {size_text(size)}")
        time.sleep(INTERVAL)
