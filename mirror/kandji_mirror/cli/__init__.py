"""The command line. Each command imports what it uses when it runs: a SQL query must not pay for the sync engine."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from threading import active_count
from typing import NoReturn

import click

from kandji_schema.errors import Interrupted, MirrorError, StoreError


def run() -> NoReturn:
    """Entry point of ``kandji-mirror``: one line on stderr and a documented exit code for every foreseeable trouble."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # names have letters that other encodings lack
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        from kandji_mirror.cli.app import app

        code = app.main(prog_name="kandji-mirror", standalone_mode=False) or 0
        sys.stdout.flush()
        _leave(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except MirrorError as error:
        _end(f"kandji-mirror: {error}", error.exit_code)
    except MemoryError:
        _drop_output()
        _end("kandji-mirror: The answer does not fit into memory. Ask for fewer rows, or for --format csv.", 5)
    except (click.Abort, KeyboardInterrupt):
        _end("kandji-mirror: Stopped.", Interrupted.exit_code)
    except BrokenPipeError:
        _drop_output()  # the reader of it (head, less) has seen enough: nothing is wrong
        sys.exit(0)
    except OSError as error:
        _drop_output()
        where = f"{error.filename}: " if error.filename else ""
        _end(f"kandji-mirror: {where}{error.strerror or error}.", StoreError.exit_code)


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that Python does not fail on it once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end(line: str, code: int) -> NoReturn:
    print(line, file=sys.stderr)  # noqa: T201  # this is where messages are printed
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit; past Python's own shutdown where threads still work, which would abort the process under one in DuckDB."""
    if active_count() == 1:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)
