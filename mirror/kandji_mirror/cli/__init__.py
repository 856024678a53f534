"""The command line. Each command imports what it uses when it runs: a SQL query must not pay for the sync engine."""

import sys

from kandji_schema.errors import MirrorError


def run() -> None:
    """Entry point of ``kandji-mirror``: one line on stderr and a documented exit code for every foreseeable trouble."""
    from kandji_mirror.cli.app import app

    try:
        app(prog_name="kandji-mirror")
    except MirrorError as error:
        print(f"kandji-mirror: {error}", file=sys.stderr)  # noqa: T201  # this is where messages are printed
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough; nothing is wrong.
        sys.stderr.close()
        sys.exit(0)
