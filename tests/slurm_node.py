"""A SLURM of one node on this machine, for tests: munge, controller, node; as root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.waiting import wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel")
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
KillWait=30
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MaxArraySize={array_size}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=debug Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def why_not() -> str | None:
    """Why there can be no node here; None where there can."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"needs SLURM: apt-get install slurm-wlm munge ({missing[0]} was not found)"
    if os.geteuid():
        return "needs root, which SLURM's node runs as"
    return None


class Node:
    """The running SLURM."""

    def __init__(self, folder: Path, array_size: int, munge: Path) -> None:
        """Write the configuration; nothing runs yet.

        Args:
            folder: an empty one for all its files.
            array_size: MaxArraySize.
            munge: socket of its munge.
        """
        self._folder = folder
        (folder / "state").mkdir()
        (folder / "spool").mkdir()
        self._file = folder / "slurm.conf"
        self._file.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0], folder=folder, munge=munge,
                array_size=array_size, cpus=os.cpu_count(), controller=_free_port(),
                node=_free_port(),
            )
        )  # fmt: skip
        self.environment = {"SLURM_CONF": str(self._file)}

    def start_controller(self) -> None:
        """Start it; it takes up the state that the last one saved."""
        self._run("slurmctld", "-f", str(self._file))

    def stop_controller(self) -> None:
        """Have it save its state and end (SIGTERM)."""
        self._end("slurmctld")

    def start_node(self) -> None:
        """Start the node and wait until it takes jobs."""
        self._run("slurmd", "-f", str(self._file))
        wait_until(lambda: self.ask("sinfo", "-h", "-o", "%T") in ("idle", "mixed", "allocated"))

    def stop(self) -> None:
        """End all of it."""
        for name in ("slurmd", "slurmctld"):
            self._end(name)

    def ask(self, *command: str) -> str:
        """What a program of SLURM answers; empty where it fails."""
        return subprocess.run(
            command, capture_output=True, text=True, check=False,
            env={**os.environ, **self.environment},
        ).stdout.strip()  # fmt: skip

    def _run(self, *command: str) -> None:
        subprocess.run(command, check=True, env={**os.environ, **self.environment})

    def _end(self, name: str) -> None:
        told = self._folder / f"{name}.pid"
        with suppress(OSError, ValueError):
            number = int(told.read_text())
            os.kill(number, 15)
            wait_until(lambda: not Path(f"/proc/{number}").exists())


@contextmanager
def slurm_node(folder: Path, array_size: int = 1001) -> Iterator[Node]:
    """A SLURM of one node, with as many processors as there are.

    Args:
        folder: an empty one for all its files.
        array_size: MaxArraySize.
    """
    with _munge() as munge:
        node = Node(folder, array_size, munge)
        try:
            node.start_controller()
            node.start_node()
            yield node
        finally:
            node.ask("scancel", "-u", "root")
            node.stop()


@contextmanager
def _munge() -> Iterator[Path]:
    """What tells SLURM's programs from others, for this node alone: several may run at a time.

    Gives its socket, which has a short name: paths of sockets have 107 letters at most.
    """
    with tempfile.TemporaryDirectory(prefix="munge-") as name:
        key, place = Path(name, "key"), Path(name, "socket")
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        munged = ["munged", f"--socket={place}"]
        files = [f"--{kind}-file={Path(name, kind)}" for kind in ("key", "pid", "log", "seed")]
        # Temporary folders are open to all, which it has doubts about.
        subprocess.run([*munged, "--force", *files], check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run([*munged, "--stop"], check=False, capture_output=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
