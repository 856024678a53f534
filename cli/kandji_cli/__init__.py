"""The command line. Each command imports what it uses when it runs: a SQL query must not pay for the sync engine."""

import os
import sys
from contextlib import suppress
from threading import active_count
from typing import NoReturn, TextIO

import click

from kandji_cli import streams
from kandji_schema.errors import Interrupted, MirrorError, StoreError
from kandji_schema.process import begin

__all__ = ["run"]


def run() -> NoReturn:
    """Entry point of ``kandji-mirror``: one line on stderr and a documented exit code for every foreseeable trouble."""
    begin()
    streams.complete()
    stdout = sys.stdout
    try:
        from kandji_cli.app import app

        if "_KANDJI_MIRROR_COMPLETE" in os.environ:  # a shell asks what may follow
            from kandji_cli.completion import take_part

            take_part()
        code = app.main(prog_name="kandji-mirror", standalone_mode=False) or 0
        streams.flush(stdout)
        _leave(code)
    except click.ClickException as error:
        error.show()
        _leave(error.exit_code)
    except MirrorError as error:
        _end(error.exit_code, *streams.error_lines(error))
    except MemoryError:
        streams.drop(stdout)
        _end(5, "kandji-mirror: The answer does not fit into memory. Ask for fewer rows, or for --format csv.")
    except (click.Abort, KeyboardInterrupt):
        _end(Interrupted.exit_code, "kandji-mirror: Stopped.")
    except SystemExit as end:
        if sys.stdout is not stdout:  # click wraps the streams where a pipe is broken, and makes it a failure
            _seen_enough(stdout)
        _leave(int(end.code or 0))
    except BrokenPipeError:
        _seen_enough(stdout)
    except OSError as error:
        streams.drop(stdout)
        where = f"{error.filename}: " if error.filename else ""
        _end(StoreError.exit_code, f"kandji-mirror: {where}{error.strerror or error}.")


def _seen_enough(stdout: TextIO) -> NoReturn:
    """End where the reader of the output (head, less) has gone: nothing is wrong."""
    streams.drop(stdout)
    _leave(0)


def _end(code: int, *lines: str) -> NoReturn:
    streams.tell(*lines)
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit; past Python's own shutdown where threads still work, which would abort the process under one in DuckDB."""
    with suppress(OSError):  # what can be written was; the code says how the command ended
        streams.flush(sys.stdout)
    if active_count() == 1:
        sys.exit(code)
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(code)
