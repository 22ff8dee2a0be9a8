"""What may happen to files of numbers: Parquet, HDF5, safetensors, checkpoints of torch, NumPy's.

Each is also opened with its own library and written anew with wrong types, shapes, names or texts:
sound in form, so that only what is made of it can refuse it.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from random import Random
from typing import Any

import numpy as np

from tests.fuzz.bytes import damaged, either, flipped
from tests.fuzz.texts import TEXTS, json_mutator, odd


def changed_footer(data: bytes, rng: Random) -> bytes:
    """Parquet whose description of itself is damaged, its size right."""
    assert data[-4:] == b"PAR1"
    size = int.from_bytes(data[-8:-4], "little")
    footer = rng.choice((flipped, flipped, damaged))(data[-8 - size : -8], rng)
    return data[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1"


def changed_columns(data: bytes, rng: Random) -> bytes:
    """Parquet with columns of other types and names, other rows and other metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    for _ in range(rng.choice((1, 1, 2))):
        table = _change_table(table, rng, pa)
    target = io.BytesIO()
    pq.write_table(table, target, compression=rng.choice(("none", "zstd", "snappy", "gzip")))
    return target.getvalue()


def _change_table(table: Any, rng: Random, pa: Any) -> Any:
    way, names = rng.randrange(9), list(table.column_names)
    number = rng.randrange(len(names))
    if way == 0:
        return table.remove_column(number)
    if way == 1:
        return table.append_column(rng.choice((names[number], "a")), table.column(number))
    if way == 2:
        names[number] = str(rng.choice((*TEXTS, *names)))[:500].replace("\ud800", "")
        return table.rename_columns(names)
    if way == 3:
        return table.slice(0, rng.choice((0, 1, len(table) // 2)))
    if way == 4:
        return pa.concat_tables([table, table.slice(0, 1)])
    if way == 5:
        told = dict(table.schema.metadata or {})
        key = rng.choice([*told, b"mevgs_toolkit", b"pandas"])
        told[key] = json_mutator(told.get(key, b'{"columns": {"a": "b"}}'), rng)
        return table.replace_schema_metadata(told)
    values = table.column(number).to_pylist()
    if way == 6 and values:
        values[rng.randrange(len(values))] = rng.choice(
            (None, odd(rng), -1, 2, float("nan"), "\x1b")
        )
        own = rng.choice((table.schema.field(number).type, pa.string(), pa.float64()))
        return table.set_column(number, names[number], pa.array(values).cast(own, safe=False))
    made = _column(len(values), values, rng, pa)
    return table.set_column(number, names[number], made)


def _column(n: int, values: list[Any], rng: Random, pa: Any) -> Any:
    """A column of a type that is not expected there."""
    whole = [rng.randrange(-3, 4) for _ in range(n)]
    return rng.choice(
        (
            lambda: pa.nulls(n),
            lambda: pa.array([str(value) for value in values]),
            lambda: pa.array([str(value).encode() for value in values]),
            lambda: pa.array([b"\xff\xfe"] * n),
            lambda: pa.array([[one] for one in whole]),
            lambda: pa.array([{"a": one} for one in whole]),
            lambda: pa.array([one > 0 for one in whole]),
            lambda: pa.array(whole).cast(rng.choice((pa.int8(), pa.int64(), pa.float32()))),
            lambda: pa.array([2**63 + abs(one) for one in whole], pa.uint64()),
            lambda: pa.array(whole).cast(pa.timestamp("us")),
            lambda: pa.array([2**62] * n).cast(pa.timestamp("us")),
            lambda: pa.array(whole).cast(pa.duration("s")),
            lambda: pa.array(whole).cast(pa.decimal128(38, 2)),
            lambda: pa.array([1e308, float("inf"), float("nan"), *map(float, whole)][:n]),
            lambda: pa.array([str(one) for one in whole]).dictionary_encode(),
            lambda: pa.array(whole).dictionary_encode(),
            lambda: pa.array([rng.choice(TEXTS).replace("\ud800", "") for _ in whole]),
            lambda: pa.array([(one, one) for one in whole], pa.map_(pa.int64(), pa.int64())),
        )
    )()


parquet_mutator = either(changed_columns, changed_columns, changed_footer, damaged)


def changed_features(data: bytes, rng: Random) -> bytes:
    """HDF5 with a data set of another type or shape, other links, attributes or filters."""
    import h5py

    target = io.BytesIO(data)
    with h5py.File(target, "r+") as file:
        name = rng.choice(list(file))
        group, way = file[name], rng.randrange(5)
        if way == 0:
            group.attrs["media_sha256"] = _attribute(rng)
        elif way == 1:
            file.attrs[rng.choice(("backbone_sha256", "a", "\u202e"))] = _attribute(rng)
        elif way == 2:
            _relink(file, name, rng, h5py)
        else:
            if "feature" in group:
                del group["feature"]
            _dataset(group, rng, h5py)
    return target.getvalue()


def _attribute(rng: Random) -> Any:
    texts = [text.replace("\0", "").replace("\ud800", "")[:9_000] for text in TEXTS]
    return rng.choice((0, 1.5, np.zeros(3), b"\xff\xfe", np.bytes_(b"ab"), True, *texts))


def _relink(file: Any, name: str, rng: Random, h5py: Any) -> None:
    new = rng.choice((name, "b", "\u202e", "a b", "\x1b[31m"))
    if new == name:
        del file[name]
    made = rng.choice(
        (h5py.SoftLink("/nowhere"), h5py.SoftLink("/"), h5py.ExternalLink("/etc/passwd", "/"),
         h5py.ExternalLink("other.h5", "/a"), np.dtype("f4"), np.zeros(3))
    )  # fmt: skip
    if new in file:
        del file[new]
    file[new] = made


def _dataset(group: Any, rng: Random, h5py: Any) -> None:
    """A feature that is none, or that is far larger than its file."""
    kind = rng.choice(("f2", "f4", "f8", "i1", "u8", "?", "c8", "S3", "V5", "f4,i4", "O"))
    shape = rng.choice(((), (0,), (3,), (2, 5), (0, 5), (7, 2, 3), (1, 2, 3, 4), (2, 0, 3)))
    way = rng.randrange(8)
    if way == 0:
        group.create_dataset("feature", (2**20, 2**20), "f4", chunks=(2**4, 2**10))
    elif way == 1:
        side = rng.choice((2**9,) * 9 + (2**13, 2**14))
        group.create_dataset("feature", (side, side), "f4", chunks=(side, side), compression="gzip")
    elif way == 2:
        group["feature"] = h5py.Empty("f4")
    elif way == 3:
        group.create_dataset("feature", (4, 5), "f4", external=[("/etc/passwd", 0, 80)])
    elif way == 4:
        layout = h5py.VirtualLayout((2, 5), "f4")
        layout[0] = h5py.VirtualSource("other.h5", "a", (5,))
        group.create_virtual_dataset("feature", layout)
    elif way == 5:
        group.create_dataset("feature", (4, 5), ">f4", data=np.full((4, 5), np.nan), fillvalue=1.0)
    elif kind == "O":
        group.create_dataset("feature", shape, h5py.string_dtype())
    else:
        filters = rng.choice(({}, {"compression": "lzf"}, {"fletcher32": True, "shuffle": True}))
        group.create_dataset(
            "feature", shape, kind, **(filters if len(shape) and 0 not in shape else {})
        )


hdf5_mutator = either(changed_features, damaged, damaged)


def changed_header(data: bytes, rng: Random) -> bytes:
    """safetensors with another header, its size right."""
    size = int.from_bytes(data[:8], "little")
    header = json_mutator(data[8 : 8 + size], rng)
    return struct.pack("<Q", len(header)) + header + data[8 + size :]


def changed_tensors(data: bytes, rng: Random) -> bytes:
    """safetensors with a tensor of another type, shape, name or content, well-formed."""
    import torch
    from safetensors.torch import load, save

    size = int.from_bytes(data[:8], "little")
    told = json.loads(data[8 : 8 + size]).get("__metadata__")
    return save(_changed_state(load(data), rng, torch, sparse=False), told)


def _changed_state(
    state: dict[str, Any], rng: Random, torch: Any, *, sparse: bool
) -> dict[str, Any]:
    key = rng.choice(list(state))
    value = state[key]
    ways = [
        lambda: value.half(),
        lambda: value.bfloat16(),
        lambda: value.to(torch.float8_e4m3fn),
        lambda: value.double(),
        lambda: value.long(),
        lambda: value.bool(),
        lambda: value.to(torch.uint8),
        lambda: value.to(torch.complex64),
        lambda: value.flatten()[:1].clone(),
        lambda: value[None].clone(),
        lambda: value.reshape(-1).clone(),
        lambda: torch.full_like(value, float("nan")) if value.is_floating_point() else value,
        lambda: torch.full_like(value, 1e38) if value.is_floating_point() else value,
        lambda: torch.zeros(0),
        lambda: torch.tensor(1.0),
    ]
    if sparse:
        ways += [
            lambda: value.to_sparse(),
            lambda: torch.quantize_per_tensor(value.float(), 1.0, 0, torch.qint8),
            lambda: value.to("meta"),
            lambda: torch.zeros(1).expand(2**40),
            lambda: torch.zeros(1).expand(2**20, 2**20),
            lambda: torch.nn.Parameter(value.float()),
            lambda: rng.choice((None, 1, "a", [value], {"a": value}, 10**400, float("nan"))),
            lambda: torch.zeros(3, dtype=torch.uint16),
        ]
    way = rng.randrange(4)
    made = dict(state)
    if way == 0:
        made[rng.choice(("a", "\x1b[31m", "\u202e", "", "a" * 5_000))] = made.pop(key)
    elif way == 1 and len(made) > 1:
        del made[key]
    else:
        made[key] = rng.choice(ways)()
    return made


safetensors_mutator = either(changed_header, changed_tensors, damaged)


def changed_members(data: bytes, rng: Random) -> bytes:
    """A zip whose members are damaged, lacking, doubled, renamed or packed, its own sums right."""
    members = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(one.filename, archive.read(one)) for one in archive.infolist()]
    number = rng.randrange(len(members))
    name, content = members[number]
    way = rng.randrange(5)
    if way == 0:
        del members[number]
    elif way == 1:
        members.append((name, content))
    elif way == 2:
        members[number] = rng.choice((f"{name}x", "/etc/x", "../x", "a.npy", "")), content
    elif way == 3:
        members[number] = name, b"\0" * 50_000_000
    else:
        members[number] = name, damaged(content, rng)
    packing = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    packing = zipfile.ZIP_DEFLATED if way == 3 else packing
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", packing) as archive:
        for member, inside in members:
            archive.writestr(member, inside)
    return target.getvalue()


class _Foreign:
    """Pickled, it asks for a function of another module to be called."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.told = call, arguments

    def __reduce__(self) -> Any:
        return self.told


def changed_checkpoint(data: bytes, rng: Random) -> bytes:
    """What torch saves: other tensors, other objects, or something that would run code."""
    import os
    import pathlib

    import torch

    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    inner = state.get("state", state) if isinstance(state, dict) else {}
    way = rng.randrange(6)
    made: Any
    if way == 0:
        made = rng.choice((None, [], {}, 1, "a", list(inner.values()), {1: torch.zeros(1)}))
    elif way == 1:
        bad = _Foreign(rng.choice((os.system, pathlib.Path, print, eval)), "1")
        made = rng.choice((bad, {**state, "a": bad}))
    elif way == 2:
        return pickle.dumps(rng.choice(({}, [1], _Foreign(os.getcwd))), rng.choice((0, 2, 5)))
    else:
        tensors = {k: v for k, v in inner.items() if isinstance(v, torch.Tensor)}
        changed = {**inner, **_changed_state(tensors, rng, torch, sparse=True)} if tensors else {}
        made = {**state, "state": changed} if inner is not state else changed
    target = io.BytesIO()
    torch.save(made, target, _use_new_zipfile_serialization=rng.random() < 0.8)
    return target.getvalue()


checkpoint_mutator = either(changed_checkpoint, changed_checkpoint, changed_members, damaged)

DESCRIPTIONS = (
    b"'|O'",
    b"'<f8'",
    b"'<U3'",
    b"'|V9'",
    b"'<c8'",
    b"[('a', '<f4')]",
    b"'<M8[s]'",
    b"5",
)
SHAPES = (
    b"(1099511627776,)",
    b"(-1,)",
    b"()",
    b"(0,)",
    b"(3,)",
    b"(2, 3)",
    b"'a'",
    b"(1, 2, 3, 4)",
)


def changed_array(data: bytes, rng: Random) -> bytes:
    """An .npy whose header tells of other types or shapes."""
    start = data.index(b"{")
    stop = data.index(b"}", start) + 1
    told = data[start:stop]
    part = rng.choice((b"'descr': ", b"'shape': "))
    old = told[told.index(part) + len(part) :]
    old = old[: old.index(b", 'fortran") if part.startswith(b"'descr") else old.index(b"),") + 1]
    new = rng.choice(DESCRIPTIONS if part.startswith(b"'descr") else SHAPES)
    told = told.replace(part + old, part + new)
    room = int.from_bytes(data[8:10], "little")
    return data[:start] + told.ljust(room - 1)[: room - 1] + b"\n" + data[10 + room :]


def changed_arrays(data: bytes, rng: Random) -> bytes:
    """An .npz with such an array in it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {one.filename: archive.read(one) for one in archive.infolist()}
    name = rng.choice(list(members))
    members[name] = changed_array(members[name], rng)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for member, inside in members.items():
            archive.writestr(member, inside)
    return target.getvalue()


npz_mutator = either(changed_arrays, changed_members, damaged)
npy_mutator = either(changed_array, damaged)
