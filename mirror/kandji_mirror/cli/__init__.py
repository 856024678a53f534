"""The command line. Each command imports what it uses when it runs: a SQL query must not pay for the sync engine."""

import os
import sys

import click

from kandji_schema.errors import Interrupted, MirrorError


def run() -> None:
    """Entry point of ``kandji-mirror``: one line on stderr and a documented exit code for every foreseeable trouble."""
    from kandji_mirror.cli.app import app

    try:
        sys.exit(app.main(prog_name="kandji-mirror", standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MirrorError as error:
        _end(f"kandji-mirror: {error}", error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _end("kandji-mirror: Stopped.", Interrupted.exit_code)
    except BrokenPipeError:
        # The reader of our output (head, less) has seen enough. Nothing is wrong, and Python must not say so at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _end(line: str, code: int) -> None:
    print(line, file=sys.stderr)  # noqa: T201  # this is where messages are printed
    sys.exit(code)
