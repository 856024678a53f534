"""``shell``: a prompt where there is a terminal, a script of statements where there is none."""

import sys

from kandji_cli.output import tell
from kandji_cli.reads import open_reader
from kandji_cli.shell.conversation import Conversation
from kandji_cli.shell.dots import Left, carry_out, script
from kandji_cli.streams import error_lines
from kandji_schema.errors import Interrupted, MirrorError


def run_shell(form: str) -> None:
    """Talk until somebody leaves, or carry out what is on standard input; there the first error ends it."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with open_reader(lazy=not terminal, stays=terminal) as reader:
        conversation = Conversation(reader, form)
        if terminal:
            _talk(conversation)
            return
        for piece in script(sys.stdin.read()):
            try:
                carry_out(conversation, piece)
            except Left:
                return


def _talk(conversation: Conversation) -> None:
    from kandji_cli.shell.prompt import Prompt  # a script needs no terminal

    prompt = Prompt(conversation.reader)
    tell("Statements end with a semicolon; .help tells more, .quit or Ctrl-D leaves.")
    while True:
        try:
            typed = prompt.ask()
            for piece in script(typed):
                carry_out(conversation, piece)
        except KeyboardInterrupt:
            continue  # of what was typed; a statement that ran has said so
        except (EOFError, Left):
            return
        except Interrupted:
            tell("Stopped.")
        except MirrorError as error:
            for line in error_lines(error):
                tell(line)
        except MemoryError:
            tell("kandji-mirror: The answer does not fit into memory. Ask for fewer rows.")
