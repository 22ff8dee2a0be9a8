"""Files of NumPy's arrays, read after a look at how large they will be."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stimuli.limits import ARRAY_BYTES, refuse_more
from toolkit.errors import ToolkitError, first_line

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(path: Path, content: bytes | None = None) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an ``.npz`` file by name; nothing in it is executed.

    Args:
        path: the file.
        content: its bytes, where they were read already.

    Raises:
        ToolkitError: it cannot be read, is damaged, or its arrays are larger than what it holds of
            them.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(Path(folder) / "a.npz", n=np.arange(3))
        ...     read_arrays(Path(folder) / "a.npz")
        {'n': array([0, 1, 2])}
    """
    try:
        data = io.BytesIO(path.read_bytes() if content is None else content)
        with zipfile.ZipFile(data) as archive:
            members = archive.infolist()
            n_bytes = sum(member.file_size for member in members)
            refuse_more(f"bytes of arrays in {path}", n_bytes, ARRAY_BYTES)
            for member in members:
                _refuse_hollow(archive, member)
        data.seek(0)
        with np.load(data, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except ToolkitError:
        raise
    except Exception as error:
        # Damaged bytes make the libraries raise whatever they happen to stumble over.
        raise ToolkitError(f"{path} cannot be read as arrays: {first_line(error)}.") from error


def _refuse_hollow(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an array whose header asks for more memory than there are numbers behind it."""
    with archive.open(member) as file:
        read_header = _HEADERS[np.lib.format.read_magic(file)]
        shape, _, kind = read_header(file)
    if math.prod(shape) * kind.itemsize > member.file_size or min(shape, default=0) < 0:
        raise ValueError(f"{member.filename} does not hold all of its numbers")
