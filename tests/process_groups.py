"""Commands in a process group of their own, which a signal reaches as Ctrl-C in a terminal does.

Tests wait for what a command says, or for its end, and not for a time: a command and all processes
it has started have ended when nothing can be read from it any more (`communicate`). Scripts among
the commands find the modules of the tests, such as `tests.waiting`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT_S = 1800
"""Many times what any command here takes on a busy machine: ends a test that would never end."""


@contextmanager
def started(
    command: Sequence[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a command whose output is caught; if the block raises, all its processes are killed."""
    env = dict(os.environ if env is None else env)
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), env.get("PYTHONPATH"))))
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=cwd,
        env=env,
    ) as process:
        limit = threading.Timer(LIMIT_S, os.killpg, (process.pid, signal.SIGKILL))
        limit.daemon = True
        limit.start()
        try:
            yield process
            assert limit.is_alive(), f"{command} never ended"
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            limit.cancel()


def next_line(process: subprocess.Popen[str]) -> str:
    """What a command says next on standard output; fails if it has ended before."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the command has ended: {process.communicate()[1]}"
    return line.rstrip("\n")
