"""The prompt: several lines until a semicolon, history, completion, colours. prompt_toolkit is known here alone."""

import sys
from collections.abc import Collection, Iterable
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import ColorDepth
from pygments.lexers.sql import SqlLexer

from kandji_cli.colours import wanted
from kandji_cli.output import warn
from kandji_cli.shell.dots import is_word, pieces_of
from kandji_cli.shell.kept_lines import history_file, may_be_kept
from kandji_cli.shell.words import Words
from kandji_mirror.threads import in_thread
from kandji_queries.reader import Reader
from kandji_schema.errors import ConfigurationError
from kandji_schema.settings import load

PROMPT, NEXT = "kandji> ", "   ...> "
"""What stands before the first line and before each that follows."""

MENU = 6
"""Lines of the terminal that are free for what may come next."""


class Prompt:
    """Asks for a statement or a command, as often as one wants."""

    def __init__(self, reader: Reader) -> None:
        """``reader`` tells which names there are."""
        words = Words(reader)
        in_thread(words.names)  # which takes a moment, in which the first letters are typed
        self._session: PromptSession[str] = PromptSession(
            PROMPT,
            multiline=True,
            prompt_continuation=NEXT,
            history=_history(),
            auto_suggest=AutoSuggestFromHistory(),
            completer=_Completing(words),
            complete_in_thread=True,
            complete_while_typing=True,
            reserve_space_for_menu=MENU,
            key_bindings=_keys(),
            lexer=PygmentsLexer(SqlLexer),
            color_depth=None if wanted(sys.stdout) else ColorDepth.DEPTH_1_BIT,
        )

    def ask(self) -> str:
        """Return what was typed; :class:`KeyboardInterrupt` for Ctrl-C, :class:`EOFError` for Ctrl-D."""
        return self._session.prompt()


def is_ready(text: str) -> bool:
    """Tell whether Enter sends what was typed, or begins another line of it."""
    return is_word(text) or all(ended for _, ended in pieces_of(text))


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None  # which takes what is chosen
        elif is_ready(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.cancel_completion()
            buffer.newline(copy_margin=False)

    return keys


class _Completing(Completer):
    def __init__(self, words: Words) -> None:
        self._words = words

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield what may come next; while somebody types, not before a word has begun."""
        before = document.text_before_cursor
        letters, found = self._words.offered(before, document.text_after_cursor)
        if letters or complete_event.completion_requested or before.endswith("."):
            yield from (Completion(one.word, -letters, display_meta=one.meta) for one in found)


class _KeptLines(FileHistory):
    """A file of lines, without those that are not to be remembered."""

    def __init__(self, filename: str, secrets: Collection[str]) -> None:
        super().__init__(filename)
        self._secrets = secrets

    def append_string(self, string: str) -> None:
        """Remember a line, where it may be."""
        if may_be_kept(string, self._secrets):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        """Write a line into the file; where the folder is gone or full it is remembered until the prompt ends."""
        with suppress(OSError):
            super().store_string(string)


def _history() -> History:
    try:
        settings = load(doubtful=True)
        return _KeptLines(str(history_file()), (settings.api_token, settings.mirror_http_token))
    except (OSError, ConfigurationError) as error:
        warn([f"What is typed is not remembered: {error}"])
        return InMemoryHistory()
