"""The command `nvmelm`: which subcommands there are, and how each ends.

Only wiring lives here.  A subcommand is a click command in a module of its own; its place in `COMMANDS` makes
it known.  Those modules import at their top what is needed to read the options and nothing heavier, so that
every command starts in an instant.

Exit status: 0 good; 1 the thing asked about failed (or a defect of the kit, with its traceback); 2 bad usage
or bad input, in one sentence on stderr.
"""

import sys

import click

from nvmelm_lab import cli_migrate, cli_races, doctor, jupyter
from nvmelm_lab.errors import InputError

COMMANDS: tuple[click.Command, ...] = (
    jupyter.command,
    cli_migrate.command,
    cli_races.command,
    doctor.command,
)

app = click.Group(
    "nvmelm",
    commands=COMMANDS,
    help="NVMe live migration on emulated SSDs.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run `nvmelm` on this process's arguments and leave with its exit status."""
    try:
        app()
    except InputError as error:
        print(f"nvmelm: {error}", file=sys.stderr)
        sys.exit(2)
