"""``kandji-mirror mcp``, also the script ``kandji-mirror-mcp``: the server over stdio."""

import logging
import os
import signal
import sys
from threading import Thread
from typing import TYPE_CHECKING

from kandji_mcp_server.background import Background
from kandji_mcp_server.logs import log_to_stderr
from kandji_mcp_server.pipes import Pipes, take_pipes
from kandji_mcp_server.process import disable_core_dumps
from kandji_schema.errors import MirrorError, UsageError
from kandji_schema.events import about
from kandji_schema.installation import version_line
from kandji_schema.process import begin
from kandji_schema.settings import Settings, load

if TYPE_CHECKING:
    from kandji_mcp_server.context import ServerContext

log = logging.getLogger(__name__)

USAGE = """\
Usage: kandji-mirror-mcp

  Serve the mirror to an AI assistant over stdio (Model Context Protocol), as `kandji-mirror mcp` does. AI clients start
  it; `kandji-mirror mcp-config CLIENT` tells them how.

Options:
  --version  Show the version and exit.
  --help     Show this message and exit.
"""


def main() -> None:
    """Run the script, which takes no argument but ``--help`` and ``--version``."""
    match sys.argv[1:]:
        case []:
            serve_over_stdio()
        case ["--help" | "-h"]:
            sys.stdout.write(USAGE)
        case ["--version"]:
            sys.stdout.write(f"kandji-mirror-mcp, {version_line()}\n")
        case [argument, *_]:
            sys.stderr.write(f"There is no option {argument[:80]!r}. `kandji-mirror-mcp --help` tells what there is.\n")
            sys.exit(UsageError.exit_code)


def serve_over_stdio() -> None:
    """Serve until the client closes stdin, or SIGTERM or SIGINT comes; each is a clean end with exit code 0.

    Only the protocol goes to stdout, the log to stderr. Foreseeable trouble is one line there and a documented exit
    code.
    """
    begin()
    _on_signals(None)
    if _at_terminal():
        sys.stderr.write("Waiting for an AI client on standard input; `kandji-mirror mcp-config` sets one up.\n")
    disable_core_dumps()
    pipes = take_pipes()
    log_to_stderr()  # before the SDK is there: it would install a handler of its own
    try:
        settings = load()
        log_to_stderr(settings)
        for remark in settings.provenance.remarks:
            log.warning("%s", remark.text, extra=about("settings.remark"))
        _serve(settings, pipes)
    except MirrorError as error:
        print(f"kandji-mirror mcp: {error}", file=sys.stderr)  # noqa: T201  # this is where messages are printed
        sys.exit(error.exit_code)


def _at_terminal() -> bool:
    return sys.stdin is not None and sys.stderr is not None and sys.stdin.isatty()


def _serve(settings: Settings, pipes: Pipes) -> None:
    from kandji_mcp_server.context import ServerContext  # wrong settings are told before the SDK is loaded
    from kandji_mcp_server.server import build_server
    from kandji_mcp_server.stdio import Callbacks, serve

    background = Background(settings)
    context = ServerContext(settings, background)
    _on_signals(background)
    callbacks = Callbacks(
        greeted=lambda: _after_greeting(context, background),
        hung_up=lambda: Thread(target=background.stop, daemon=True).start(),
        given_up=lambda: _end_process(background),
    )
    serve(build_server(context), pipes, context.warm_up, callbacks)
    _end_process(background)


def _after_greeting(context: "ServerContext", background: Background) -> None:
    context.ready_worker()
    background.start()


def _on_signals(background: Background | None) -> None:
    """End on a signal: at once, or after the background; at once too where a second signal comes meanwhile.

    The thread that waits for input cannot be woken, and reading leaves nothing to save.
    """

    def end(*_: object) -> None:
        if background is None or not background.running or background.stopping:
            os._exit(0)
        Thread(target=_end_process, args=(background,), daemon=True).start()  # a handler must not wait for locks

    for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGHUP", None)):  # Windows has no terminal to close
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # under nohup it stays ignored
            signal.signal(number, end)


def _end_process(background: Background) -> None:
    """Stop syncing, for two seconds at most, and end: threads that still work are neither waited for nor in the way."""
    background.stop()
    sys.stderr.flush()
    os._exit(0)
