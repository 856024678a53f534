"""``python -m kandji_cli``, where no script ``kandji-mirror`` stands beside the interpreter."""

from kandji_cli import run

run()
