"""Energy of a block of work, from the counters of the machine, and no figure where there are none.

Read are the counters that the hardware itself keeps: RAPL of Intel and AMD processors (the folder
`/sys/class/powercap`) and the energy counter of NVIDIA GPUs (NVML, through the package
`nvidia-ml-py`). They count everything that ran on the part, so a figure means something where the
machine did nothing else. Power that is only assumed, such as a share of a processor's rated power,
is not a measurement and is never reported.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows the counters of the processor."""
READ_EVERY_S = 10.0
"""Seconds between readings, so that no counter starts again twice between two of them."""
JOULES_PER_WATT_HOUR = 3600


class Meter(Protocol):
    """A counter of energy."""

    name: str
    """What it counts, for readers."""

    def joules(self) -> float:
        """Energy counted so far; only differences mean something."""
        ...

    def restart(self) -> float:
        """Joules at which it starts again from zero; infinity where it never does."""
        ...


@dataclass
class Energy:
    """What a block of work took; complete when the block has ended."""

    watt_hours: float | None = None
    """Energy counted; None where nothing could be measured."""
    source: str = ""
    """What was measured and on what, or why nothing was."""
    seconds: float = 0.0
    """How long the block took."""

    def per_thousand(self, queries: int) -> float | None:
        """Watt hours per 1,000 queries; None where nothing was measured or asked.

        Args:
            queries: how many there were.

        Example:
            >>> Energy(watt_hours=3.0).per_thousand(1500)
            2.0
        """
        if self.watt_hours is None or not queries:
            return None
        return self.watt_hours / queries * 1000


@contextmanager
def measure_energy(powercap: Path = POWERCAP) -> Iterator[Energy]:
    """Measure the energy of the block.

    Args:
        powercap: where the counters of the processor are shown.

    Yields:
        An `Energy`, filled in when the block ends, also when it ends with an error.

    Example:
        >>> with measure_energy(Path("/nowhere")) as energy:
        ...     work = sum(range(1000))
        >>> energy.watt_hours is None or energy.watt_hours >= 0
        True
    """
    processor, processor_lacks = find_rapl(powercap)
    graphics, graphics_lack = find_nvml()
    energy = Energy()
    counting = _Counting([*processor, *graphics])
    start = time.perf_counter()
    try:
        yield energy
    finally:
        energy.seconds = time.perf_counter() - start
        energy.watt_hours, lost = counting.finish()
        energy.source = _told(processor, processor_lacks, graphics, graphics_lack, lost)


def find_rapl(powercap: Path = POWERCAP) -> tuple[list[Meter], str]:
    """Counters of processor packages and their memory.

    Args:
        powercap: where they are shown.

    Returns:
        The counters, and what is wrong where there are none.
    """
    found: list[Meter] = []
    lacks = "no RAPL counters"
    shown = [*powercap.glob("intel-rapl:*"), *powercap.glob("intel-rapl:*/intel-rapl:*")]
    for zone in sorted({zone.resolve() for zone in shown}):  # inner zones are shown twice
        try:
            name = (zone / "name").read_text("ascii").strip()
            if not name.startswith(("package", "dram")):
                continue  # cores and graphics are counted in their package already
            meter = _Rapl(zone, name)
            meter.joules()
        except PermissionError:
            lacks = f"the RAPL counters under {powercap} may only be read by an administrator"
        except (OSError, ValueError):
            continue
        else:
            found.append(meter)
    return found, lacks


def find_nvml() -> tuple[list[Meter], str]:
    """Counters of NVIDIA GPUs.

    Returns:
        The counters, and what is wrong where there are none.
    """
    try:
        import pynvml
    except ImportError:
        return [], "no nvidia-ml-py to ask for a GPU"
    try:
        pynvml.nvmlInit()
        handles = [
            pynvml.nvmlDeviceGetHandleByIndex(number)
            for number in range(pynvml.nvmlDeviceGetCount())
        ]
    except pynvml.NVMLError:
        return [], "no NVIDIA GPU"
    found: list[Meter] = []
    for number, handle in enumerate(handles):
        try:
            meter = _Nvml(pynvml, handle, number)
            meter.joules()
        except pynvml.NVMLError:
            continue
        found.append(meter)
    return found, "no NVIDIA GPU with a counter of energy"


@dataclass
class _Rapl:
    """A counter of a processor package or its memory."""

    zone: Path
    """Its folder."""
    name: str
    """Its name, such as `package-0`."""

    def joules(self) -> float:
        """Energy counted so far."""
        return int((self.zone / "energy_uj").read_text("ascii")) / 1e6

    def restart(self) -> float:
        """Joules at which it starts again."""
        return int((self.zone / "max_energy_range_uj").read_text("ascii")) / 1e6


class _Nvml:
    """The counter of an NVIDIA GPU since its driver was loaded."""

    def __init__(self, nvml: Any, handle: Any, number: int) -> None:
        self.nvml, self.handle = nvml, handle
        name = nvml.nvmlDeviceGetName(handle)
        self.name = f"GPU {number} {name.decode() if isinstance(name, bytes) else name}"

    def joules(self) -> float:
        """Energy counted so far."""
        return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1000

    def restart(self) -> float:
        """It does not start again while the driver is loaded."""
        return float("inf")


@dataclass
class _Counting:
    """Adds up what counters count, reading them now and then because they start again."""

    meters: Sequence[Meter]
    """What is read."""
    total: float = 0.0
    """Joules so far."""
    lost: list[str] = field(default_factory=list)
    """Counters that could no longer be read."""

    def __post_init__(self) -> None:
        self.last = [meter.joules() for meter in self.meters]
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        if self.meters:
            self.thread.start()

    def _watch(self) -> None:
        while not self.done.wait(READ_EVERY_S):
            self._read()

    def _read(self) -> None:
        for place, meter in enumerate(self.meters):
            if meter.name in self.lost:
                continue
            try:
                now = meter.joules()
                step = now - self.last[place]
                self.total += step if step >= 0 else step + meter.restart()
                self.last[place] = now
            except Exception:  # a driver may fail in ways of its own; no figure then
                self.lost.append(meter.name)

    def finish(self) -> tuple[float | None, list[str]]:
        """Watt hours, None where nothing was counted to the end, and the counters lost."""
        if not self.meters:
            return None, []
        self.done.set()
        self.thread.join()
        self._read()
        return (None if self.lost else self.total / JOULES_PER_WATT_HOUR), self.lost


def _told(
    processor: Sequence[Meter],
    processor_lacks: str,
    graphics: Sequence[Meter],
    graphics_lack: str,
    lost: Sequence[str],
) -> str:
    """What was measured and on what, or why nothing was."""
    if lost:
        return f"not measured: {', '.join(lost)} could not be read to the end"
    if not processor and not graphics:
        return f"not measured: {processor_lacks}, {graphics_lack}"
    parts = []
    if processor:
        parts.append(f"{', '.join(meter.name for meter in processor)} by RAPL")
    if graphics:
        parts.append(f"{', '.join(meter.name for meter in graphics)} by NVML")
    told = f"{' and '.join(parts)}, with everything else that ran there"
    if not processor:
        told += f"; the processor is not in it: {processor_lacks}"
    return told
