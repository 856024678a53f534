"""Work that is killed (kill -9) at one step after the other, each in a process of its own.

A step is what Python tells its audit hooks of: a file opened, made, renamed or removed. The process that forks has
imported all it needs and started no engine.
"""

import subprocess
import sys
from pathlib import Path

_FORKER = """
import os, signal, sys
STEPS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link", "os.chmod", "sqlite3.connect"}

def killed_at(number, work):
    pid = os.fork()
    if not pid:
        seen = 0
        def hook(event, _):
            nonlocal seen
            if event in STEPS:
                seen += 1
                if seen == number:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def every(begin, step, work, look):
    number = begin
    while (ended := killed_at(number, work)) == -9:
        if not (pid := os.fork()):
            try:
                look(number)
                os._exit(0)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, number
        number += step
    assert ended == 0, ended
    print(number)
"""


def killed_at_every_step(script: str, *arguments: object, begin: int = 1, step: int = 1) -> int:
    """Run ``work()`` of the script and kill it at one step after the other, each time followed by ``look(number)``.

    Returns the number of the first step that it did not come to any more.
    """
    path = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    whole = f"{path}{_FORKER}\n{script}\nevery({begin}, {step}, work, look)"
    ended = subprocess.run(
        [sys.executable, "-c", whole, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=250
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.split()[-1])
