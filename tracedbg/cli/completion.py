"""Print the script that completes tracedbg's command line in a shell.

The script goes to standard output. To have it in every new shell:

    tracedbg completion bash > ~/.local/share/bash-completion/completions/tracedbg
    tracedbg completion zsh > "${fpath[1]}/_tracedbg"
    tracedbg completion fish > ~/.config/fish/completions/tracedbg.fish

To try it in this one:

    eval "$(tracedbg completion bash)"
"""

import click
from click.shell_completion import get_completion_class

from tracedbg.cli.subcommand import subcommand

SHELLS = ("bash", "zsh", "fish")


@subcommand(__doc__)
@click.argument("shell", type=click.Choice(SHELLS), metavar="bash|zsh|fish")
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Prints click's own script for the shell."""
    root = context.find_root()
    program = root.info_name or "tracedbg"
    completion = get_completion_class(shell)
    assert completion is not None
    script = completion(root.command, {}, program, f"_{program.upper()}_COMPLETE")
    click.echo(script.source_template % script.source_vars())
