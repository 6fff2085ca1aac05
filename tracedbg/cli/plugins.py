"""List the detectors that analyze runs, and what each needs.

They come by entry points of the group tracedbg.detectors, from tracedbg itself or any other package.

    tracedbg plugins
    tracedbg plugins --json
"""

import click

from tracedbg.cli.output import Column, Grid, Kind, json_option, show
from tracedbg.cli.subcommand import subcommand

COLUMNS = (
    Column("name", Kind.TEXT),
    Column("package", Kind.TEXT),
    Column("finds", Kind.TEXT),
    Column("needs", Kind.TEXT),
)


@subcommand(__doc__)
@json_option
def command(as_json: bool) -> int:
    """Prints a row for each detector; one that cannot be loaded is named on stderr, and the result is 1."""
    from tracedbg.detect.plugins import PluginError, find_plugins

    rows, broken = [], False
    for plugin in find_plugins():
        try:
            detector = plugin.load()
        except PluginError as error:
            broken = True
            click.echo(f"warning: {error}", err=True)
            continue
        rows.append((plugin.name, plugin.distribution, detector.summary, detector.needs))
    show(Grid(COLUMNS, rows), as_json)
    return int(broken)
