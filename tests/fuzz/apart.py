"""Stands in for the process that features from elsewhere are listed in: forked, so that it starts
at once. What it finds, and that it may loop or crash, is the same."""

from __future__ import annotations

import json
import os
import resource
from dataclasses import asdict
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.listing import Listing, _listed, unreadable

CPU_S = 5
"""Seconds of work that the listing of a small file may take."""


def list_forked(path: Path) -> Listing:
    """List a file of features in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
            with os.fdopen(writing, "w") as pipe:
                json.dump(_told(path), pipe)
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    if os.waitpid(child, 0)[1]:
        raise unreadable(path, "HDF5 broke down over it; it is damaged")
    found = json.loads(text)
    if "fault" in found:
        raise unreadable(path, found["fault"])
    return Listing(**found)


def _told(path: Path) -> dict[str, object]:
    try:
        return asdict(_listed(path))
    except ToolkitError as error:
        return {"fault": error.message.partition(" cannot be read: ")[2].rstrip(".")}
