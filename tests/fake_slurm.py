"""A queue that takes and refuses what SLURM does, for tests where there is none: it runs nothing.

`install` puts programs ``sbatch``, ``squeue`` and ``scontrol`` into a folder; what they were told
lies in ``queue.json`` there.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

PROGRAM = f"""#!{sys.executable}
import json, re, sys
from pathlib import Path

place = Path(__file__).with_name("queue.json")
queue = json.loads(place.read_text())
name, given = Path(__file__).name, sys.argv[1:]
queue["calls"].append([name, *given])


def end(out="", err="", code=0):
    place.write_text(json.dumps(queue))
    sys.stdout.write(out)
    sys.stderr.write(err)
    raise SystemExit(code)


if queue["down"]:
    end(err="slurm_load_jobs error: Unable to contact slurm controller\\n", code=1)
if name == "scontrol":
    end(f"Configuration data\\nMaxArraySize            = {{queue['array_size']}}\\n"
        f"MaxJobCount             = {{queue['jobs']}}\\n")
if name == "squeue":
    rows = [row for row in queue["tasks"] if "-u" not in given or row[0] != "others"]
    shape = given[given.index("-o") + 1]
    for letter, place_in_row in (("j", 0), ("F", 1), ("K", 2), ("T", 3), ("r", 4)):
        shape = shape.replace(f"%{{letter}}", f"{{{{{{place_in_row}}}}}}")
    end("".join(shape.format(*row) + "\\n" for row in rows))
script = sys.stdin.read()
options = dict(re.findall(r"^#SBATCH --([a-z-]+)=?(.*)$", script, re.M))
indices = []
for part in options["array"].split("%")[0].split(","):
    low, _, high = part.partition("-")
    indices += range(int(low), int(high or low) + 1)
if queue["refuses"]:
    end(err=f"sbatch: error: {{queue['refuses']}}\\n", code=1)
if max(indices) >= queue["array_size"]:
    end(err="sbatch: error: Invalid job array specification\\n", code=1)
own = [row for row in queue["tasks"] if row[0] != "others"]
if len(own) + len(indices) > queue["own"]:
    end(err="sbatch: error: AssocMaxSubmitJobLimit\\nsbatch: error: Batch job submission failed: "
        "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)\\n",
        code=1)
assert len(queue["tasks"]) + len(indices) < queue["jobs"], "the controller would have let us wait"
number = str(1000 + len(queue["scripts"]))
queue["scripts"].append(script)
queue["tasks"] += [[options["job-name"], number, str(i), "PENDING", "None"] for i in indices]
end(f"{{number}};cluster\\n")
"""
"""Each program: its name tells it which of them it is."""


class FakeSlurm:
    """The queue, and what it was told."""

    def __init__(self, folder: Path) -> None:
        """Put the programs into a folder, whose queue is empty.

        Args:
            folder: one on the ``PATH``.
        """
        self._place = folder / "queue.json"
        self.change(
            tasks=[], scripts=[], calls=[], array_size=1001, jobs=10_000, own=1_000_000,
            down=False, refuses="",
        )  # fmt: skip
        for name in ("sbatch", "squeue", "scontrol"):
            program = folder / name
            program.write_text(PROGRAM, encoding="utf-8")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def __getitem__(self, name: str) -> Any:
        """What stands in the queue's file."""
        return self._content()[name]

    def change(self, **content: Any) -> None:
        """Let limits or tasks be others."""
        self._place.write_text(json.dumps({**self._content(), **content}), encoding="utf-8")

    def _content(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self._place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return content


def path_with(folder: Path) -> str:
    """The ``PATH`` on which the programs of a folder come first.

    Args:
        folder: where `FakeSlurm` put them.
    """
    return f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
