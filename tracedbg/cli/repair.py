"""Make a whole trace of one that was cut short or damaged, or of an interrupted recording.

IN is a trace, or the .partial that a recording left whose recorder was killed; its .slots file beside it is
used when it is there. Everything that is whole is kept, and a line says what was lost. IN stays as it is.

    tracedbg repair trace.bin.partial -o trace.bin
    tracedbg repair broken.bin -o whole.bin --json
"""

import json
from pathlib import Path

import click

from tracedbg.cli.output import json_option
from tracedbg.cli.subcommand import subcommand
from tracedbg.record.repair import Repaired, repair


@subcommand(__doc__)
@click.argument("damaged", metavar="IN", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Where the whole trace goes."
)
@json_option
def command(damaged: Path, output: Path, as_json: bool) -> None:
    """Prints what was saved and what was lost."""
    repaired = repair(damaged, output)
    click.echo(json.dumps(as_object(repaired), indent=2) if as_json else sentence(repaired))


def as_object(repaired: Repaired) -> dict[str, object]:
    """What JSON has."""
    return {
        "path": str(repaired.path),
        "instructions": repaired.instructions,
        "epochs": repaired.epochs,
        "losses": list(repaired.losses),
    }


def sentence(repaired: Repaired) -> str:
    """One line on what was saved and lost."""
    lost = "; ".join(repaired.losses) or "nothing that had been recorded is lost"
    return f"{repaired.path}: {repaired.instructions:,} instructions saved; {lost}"
