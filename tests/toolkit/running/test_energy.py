"""Energy is what counters count; without counters there is no figure."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until
from toolkit.running import energy
from toolkit.running.energy import Energy, measure_energy


class NoGPUError(Exception):
    pass


class FakeNvml(types.ModuleType):
    """NVML with some GPUs whose counters the test sets, in joules."""

    NVMLError = NoGPUError

    def __init__(self, *joules: float | None) -> None:
        super().__init__("pynvml")
        self.counted = list(joules)

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.counted:
            raise NoGPUError

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.counted)

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:  # noqa: N802
        return number

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return f"Fake {handle + 1}"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802
        joules = self.counted[handle]
        if joules is None:
            raise NoGPUError
        return int(joules * 1000)


@pytest.fixture(autouse=True)
def nvml(monkeypatch: pytest.MonkeyPatch) -> FakeNvml:
    """A machine without GPUs, unless the test says otherwise."""
    fake = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", fake)
    return fake


def counter(folder: Path, name: str, joules: float, restart: float = 262_143) -> Path:
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{int(restart * 1e6)}\n")
    count(folder, joules)
    return folder


def count(folder: Path, joules: float) -> None:
    (folder / "energy_uj").write_text(f"{int(joules * 1e6)}\n")


def test_without_counters_there_is_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = types.SimpleNamespace(perf_counter=iter((2.0, 7.0)).__next__)
    monkeypatch.setattr(energy, "time", clock)
    with measure_energy(tmp_path) as measured:
        pass
    assert measured.watt_hours is None
    assert measured.per_thousand(100) is None
    assert measured.source == "not measured: no RAPL counters, no NVIDIA GPU"
    assert measured.seconds == 5


def test_without_the_library_for_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with measure_energy(tmp_path) as measured:
        pass
    assert measured.watt_hours is None
    assert "nvidia-ml-py" in measured.source


def test_processor_memory_and_gpus_add_up(tmp_path: Path, nvml: FakeNvml) -> None:
    package = counter(tmp_path / "intel-rapl:0", "package-0", 1000)
    counter(tmp_path / "intel-rapl:0" / "intel-rapl:0:0", "core", 10)
    memory = counter(tmp_path / "intel-rapl:0" / "intel-rapl:0:1", "dram", 500)
    # Linux shows the inner zones once more beside their package.
    for number in (0, 1):
        (tmp_path / f"intel-rapl:0:{number}").symlink_to(package / f"intel-rapl:0:{number}")
    nvml.counted = [7000, None, 100]
    with measure_energy(tmp_path) as measured:
        count(package, 2800)
        count(package / "intel-rapl:0:0", 999)
        count(memory, 1400)
        nvml.counted = [7720, None, 280]
        assert measured.watt_hours is None
    assert measured.watt_hours == pytest.approx((1800 + 900 + 720 + 180) / 3600)
    assert measured.per_thousand(500) == pytest.approx(2.0)
    assert measured.source == (
        "package-0, dram by RAPL and GPU 0 Fake 1, GPU 2 Fake 3 by NVML, with everything else that "
        "ran there"
    )


def test_a_counter_that_starts_again_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(energy, "READ_EVERY_S", 0.001)
    package = counter(tmp_path / "intel-rapl:0", "package-0", 900, restart=1000)
    read = energy._Rapl.joules
    readings: list[float] = []

    def watched(self: Any) -> float:
        readings.append(read(self))
        return readings[-1]

    monkeypatch.setattr(energy._Rapl, "joules", watched)
    with measure_energy(tmp_path) as measured:
        for joules in (950, 50, 700, 20):  # 50, 100, 650 and 320 more
            (package / "new").write_text(f"{int(joules * 1e6)}\n")
            (package / "new").replace(package / "energy_uj")
            wait_until(lambda value=joules: readings[-1] == value)
    assert measured.watt_hours == pytest.approx(1120 / 3600)


def test_what_is_missing_is_said(tmp_path: Path, nvml: FakeNvml) -> None:
    nvml.counted = [10]
    with measure_energy(tmp_path) as measured:
        nvml.counted = [3610]
    assert measured.watt_hours == pytest.approx(1)
    assert measured.source.endswith("the processor is not in it: no RAPL counters")


def test_counters_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = counter(tmp_path / "intel-rapl:0", "package-0", 900)
    read = Path.read_text

    def forbidden(self: Path, *args: Any, **named: Any) -> str:
        if self == package / "energy_uj":
            raise PermissionError
        return read(self, *args, **named)

    monkeypatch.setattr(Path, "read_text", forbidden)
    with measure_energy(tmp_path) as measured:
        pass
    assert measured.watt_hours is None
    assert "only be read by an administrator" in measured.source


def test_a_counter_that_is_lost_leaves_no_figure(tmp_path: Path, nvml: FakeNvml) -> None:
    counter(tmp_path / "intel-rapl:0", "package-0", 900)
    nvml.counted = [10]
    with measure_energy(tmp_path) as measured:
        nvml.counted = [None]
    assert measured.watt_hours is None
    assert measured.source == "not measured: GPU 0 Fake 1 could not be read to the end"


def test_work_that_fails_is_measured_and_fails(tmp_path: Path) -> None:
    package = counter(tmp_path / "intel-rapl:0", "package-0", 0)
    kept: list[Energy] = []

    def work() -> None:
        with measure_energy(tmp_path) as measured:
            kept.append(measured)
            count(package, 3600)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert kept[0].watt_hours == pytest.approx(1)
    assert kept[0].per_thousand(0) is None
