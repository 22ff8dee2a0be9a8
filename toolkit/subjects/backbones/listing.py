"""What a file of features holds, without the features: read apart, since HDF5 can loop or crash.

A damaged or hostile file can keep the HDF5 library busy for ever, or end the process it is read in.
So files are listed in a process of their own, which has a limited time, and only what was found
sound there is opened here. That holds for files with a checksum beside them, too: it tells that
nothing was changed, not who wrote them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stimuli.files import checksum_file, require_sound
from stimuli.limits import FEATURE_VALUES, LISTING_BYTES_PER_S, LISTING_S
from toolkit.errors import ToolkitError

DATA = "feature"
"""Name of the data set in each group."""
MEDIA = "media_sha256"
"""Attribute of a group: checksum of the samples or pixels that its feature was made from."""
CHECKSUM = "checksum"
"""Attribute of a file whose checksum lies beside it: how that is made."""
EXTRACT_AGAIN = "remove the file and run mevgs-toolkit extract-features again"
COPY_AGAIN = "copy it again from where it came, or extract the features again"


@dataclass(frozen=True)
class Listing:
    """What a file of features holds."""

    attributes: dict[str, str] = field(default_factory=dict)
    """What the file says about all features."""
    dimensions: dict[str, int] = field(default_factory=dict)
    """Dimensions of each feature by the name of its group; -1 for one left unfinished."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Shape of each feature that is there, by the name of its group."""
    in_place: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Of features that lie in the file in one piece, as the processor takes them (float32): where
    they begin, and whether HDF5 has a checksum of each. Others are packed, or in other types."""
    media: dict[str, str] = field(default_factory=dict)
    """Checksum of samples or pixels -> group; published files have none."""


def list_features(path: Path, *, kept: bool = True, sound: bool = True) -> Listing:
    """List a file of features.

    Args:
        path: an HDF5 file, one of ours or from elsewhere.
        kept: whether to refuse a file that says that its checksum lies beside it, and none does.
        sound: whether to hold it against that checksum, which reads all of it. Who does not must
            make sure of what is read of it (`in_place`).

    Raises:
        ToolkitError: it is missing, damaged, no HDF5, holds what is no feature, took too long, or
            has lost its checksum.
    """
    if not path.is_file():
        raise ToolkitError("There is no such file of features.", given=str(path))
    if sound and checksum_file(path).is_file():
        require_sound(path, EXTRACT_AGAIN)
    found = _listed_apart(path)
    if sound and kept and CHECKSUM in found.attributes:
        require_sound(path, EXTRACT_AGAIN, kept=True)
    return found


def unreadable(path: Path, reason: str) -> ToolkitError:
    """The error for a file that HDF5 cannot read, or that holds what is no feature."""
    return ToolkitError(f"{path} cannot be read: {reason}.", next_command=COPY_AGAIN)


def _listed_apart(path: Path) -> Listing:
    """List a file in a process of its own: a fresh interpreter, which imports no script."""
    limit_s = LISTING_S + path.stat().st_size / LISTING_BYTES_PER_S
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", __name__, str(path.absolute())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=True,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise ToolkitError(
            f"{path} cannot be read: HDF5 was not done with it in {limit_s:.0f} s; it is damaged.",
            allowed=f"a file of that size whose features are listed within {limit_s:.0f} s",
            next_command=COPY_AGAIN,
        ) from error
    except (subprocess.CalledProcessError, ValueError) as error:
        raise unreadable(path, "HDF5 broke down over it; it is damaged") from error
    if "fault" in told:
        raise unreadable(path, told["fault"])
    return Listing(**told)


def _listed(path: Path) -> Listing:
    """List a file in this process."""
    import h5py

    found = Listing()
    try:
        with h5py.File(path, "r") as file:
            found.attributes.update((str(k), str(v)) for k, v in file.attrs.items())
            for name in sorted(file):
                if isinstance(file.get(name, getlink=True), h5py.ExternalLink):
                    raise ValueError(f"{name!r} lies in another file")
                group = file[name]
                data = _data(group, name)
                found.dimensions[name] = -1 if data is None else len(data.shape)
                if data is not None:
                    found.shapes[name] = tuple(map(int, data.shape))
                    if place := _place(data):
                        found.in_place[name] = place
                media = group.attrs.get(MEDIA)
                if media is not None:
                    found.media[str(media)] = name
    except ToolkitError:
        raise
    except Exception as error:
        # Damaged files make the library raise whatever it happens to stumble over.
        raise unreadable(path, _reason(error)) from error
    return found


def _data(group: Any, name: str) -> Any:
    """A group's feature, after checking that it may be read; None for one left unfinished."""
    import h5py

    if not isinstance(group, h5py.Group):
        raise ValueError(f"{name!r} is no group")
    if DATA not in group:
        return None
    if isinstance(group.get(DATA, getlink=True), h5py.ExternalLink):
        raise ValueError(f"the feature {name!r} lies in another file")
    data = group[DATA]
    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "fiu" or data.shape is None:
        raise ValueError(f"what {name!r} holds are no numbers")
    plan = data.id.get_create_plist()
    if plan.get_external_count() or plan.get_layout() == h5py.h5d.VIRTUAL:
        raise ValueError(f"the feature {name!r} lies in another file")
    chunks = plan.get_chunk() if plan.get_layout() == h5py.h5d.CHUNKED else ()
    for n_values in (_product(data.shape), _product(chunks)):
        if n_values > FEATURE_VALUES:
            raise ValueError(
                f"the feature {name!r} is to have {n_values:,} values, more than {FEATURE_VALUES:,}"
            )
    if chunks:
        data.id.get_num_chunks()  # goes through all of them
    return data


def _place(data: Any) -> tuple[int, bool] | None:
    """Where a feature begins in its file, if it lies there as it is; see `Listing.in_place`."""
    import h5py

    if data.id.get_type() != h5py.h5t.IEEE_F32LE:
        return None
    plan = data.id.get_create_plist()
    if plan.get_layout() != h5py.h5d.CHUNKED:
        offset = data.id.get_offset()  # None: nothing was written, or it is in the header
        return None if offset is None else (int(offset), False)
    filters = {plan.get_filter(number)[0] for number in range(plan.get_nfilters())}
    # Checksums stand behind the numbers of a chunk, which they leave as they are.
    plain = filters <= {h5py.h5z.FILTER_FLETCHER32}
    if not plain or plan.get_chunk() != data.shape or data.id.get_num_chunks() != 1:
        return None
    return int(data.id.get_chunk_info(0).byte_offset), bool(filters)


def _product(sizes: tuple[int, ...]) -> int:
    made = 1
    for size in sizes:
        made *= int(size)
    return made


def _reason(error: Exception) -> str:
    told = str(error)
    if "truncated" in told:
        return "it was cut short; its end is missing"
    if "file signature not found" in told:
        return "it is no HDF5 file"
    return f"it is damaged ({told.strip(chr(39) + chr(34)).rstrip('.') or type(error).__name__})"


def _serve(path: Path) -> None:
    """Print the listing of a file as JSON, or what is wrong with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller ends this process
    try:
        told = asdict(_listed(path))
    except ToolkitError as error:
        told = {"fault": error.message.partition(" cannot be read: ")[2].rstrip(".")}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
