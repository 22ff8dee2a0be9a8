"""Files of arrays that are damaged, or that ask for more memory than they hold numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from toolkit import arrays
from toolkit.arrays import read_arrays
from toolkit.errors import ToolkitError


def written(folder: Path, header: str) -> Path:
    """An .npz whose only array has this header, and eight numbers."""
    text = header.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(folder / "a.npz", "w") as archive:
        content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"\0" * 64
        archive.writestr("a.npy", content)
    return folder / "a.npz"


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("'<f8'", "(1099511627776,)"), ("'<f8'", "(-1,)"), ("'|O'", "(3,)"), ("5", "(3,)")],
)
def test_headers_that_no_array_of_ours_has(kind: str, shape: str, tmp_path: Path) -> None:
    told = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}"
    with pytest.raises(ToolkitError, match=r"a\.npz cannot be read as arrays"):
        read_arrays(written(tmp_path, told))


def test_sound_arrays_are_read(tmp_path: Path) -> None:
    made = written(tmp_path, "{'descr': '<f8', 'fortran_order': False, 'shape': (8,), }")
    assert read_arrays(made)["a"].tolist() == [0.0] * 8


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all"])
def test_what_is_no_zip(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ToolkitError, match="cannot be read as arrays"):
        read_arrays(tmp_path / "a.npz")


def test_arrays_that_unpack_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(10_000))
    monkeypatch.setattr(arrays, "ARRAY_BYTES", 50_000)
    with pytest.raises(ToolkitError, match="too many bytes"):
        read_arrays(tmp_path / "a.npz")
