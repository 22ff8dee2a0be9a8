"""Writes the first version of a user's own paradigm."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from paradigms.registry import find_paradigms
from stimuli.errors import ToolkitError
from stimuli.files import write_atomic

HERE = Path(__file__).parent


def write_paradigm(name: str, folder: Path) -> tuple[Path, Path]:
    """Write a working paradigm and its test into a folder, which is made if need be.

    Args:
        name: lower-case letters, digits and hyphens, starting with a letter.
        folder: where to write.

    Returns:
        The paradigm file and its test.

    Raises:
        ToolkitError: if the name is malformed or taken, or a file is already there.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ToolkitError(
            "A paradigm cannot have this name.",
            given=name,
            allowed="lower-case letters, digits and single hyphens, a letter first",
            next_command="mevgs-toolkit new-paradigm my-paradigm",
        )
    if name in find_paradigms():
        raise ToolkitError(
            f"The name {name!r} belongs to a built-in paradigm.",
            next_command=f"mevgs-toolkit new-paradigm my-{name}",
        )
    module = name.replace("-", "_")
    values = {
        "name": name,
        "module": module,
        "class_name": "".join(part.capitalize() for part in name.split("-")),
    }
    paths = (folder / f"{module}.py", folder / f"test_{module}.py")
    for path in paths:
        if path.exists():
            raise ToolkitError(
                f"{path} is already there and was left as it is.",
                next_command=f"mevgs-toolkit new-paradigm {name} --out another-folder",
            )
    folder.mkdir(parents=True, exist_ok=True)
    for path, template in zip(paths, ("paradigm.py.template", "test.py.template"), strict=True):
        text = Template((HERE / template).read_text(encoding="utf-8")).substitute(values)
        with write_atomic(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return paths
