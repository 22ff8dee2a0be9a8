"""What results are recorded with: versions, commit, machine and time."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

DEPENDENCIES = (
    "altair", "glmm", "h5py", "jinja2", "numba", "numpy", "nvidia-ml-py", "open-clip-torch",
    "pandas", "pillow", "pyarrow", "rich", "safetensors", "scikit-learn", "scipy", "soundfile",
    "timm", "torch", "torchvision", "transformers", "typer", "vl-convert-python",
)  # fmt: skip
"""Packages whose versions are recorded with every run."""
GIT_S = 10
"""Seconds after which a run goes on without the commit."""


def now() -> str:
    """Coordinated universal time, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def environment() -> dict[str, Any]:
    """Versions, commit and machine, as they go into a manifest."""
    import os

    return {
        "toolkit_version": package_version("mevgs-toolkit"),
        "git": git_state(Path(__file__).parent),
        "python": platform.python_version(),
        "packages": {name: package_version(name) for name in DEPENDENCIES},
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the checkout that holds a folder; None outside a checkout."""
    git = shutil.which("git")
    if git is None or not (folder.parent / ".git").exists():
        return None
    try:
        commit, status = (
            subprocess.run(
                # Without the lock that git would take to tidy its index: a slow one is ended below,
                # and would leave it behind.
                [git, "--no-optional-locks", *command],
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=True,
                timeout=GIT_S,
            ).stdout.strip()
            for command in (
                ("rev-parse", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no"),
            )
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": bool(status)}


def package_version(package: str) -> str | None:
    """Version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
