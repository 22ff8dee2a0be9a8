"""Writes the first version of a user's own paradigm."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from paradigms.registry import find_paradigms
from stimuli.errors import ToolkitError
from stimuli.files import write_atomic
from stimuli.names import LONGEST, file_name

HERE = Path(__file__).parent
IMPORTED = ("PairCondition", "PicturePairs")
"""Classes that the file imports."""
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


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
    module = name.replace("-", "_")
    class_name = "".join(part.capitalize() for part in name.split("-"))
    taken = keyword.iskeyword(class_name) or class_name in IMPORTED or name.startswith("test-")
    if not _NAME.fullmatch(name) or file_name(name) != name or taken:
        raise ToolkitError(
            "A paradigm cannot have this name.",
            given=name,
            allowed=f"lower-case letters, digits and single hyphens, a letter first, {LONGEST} "
            "characters at most, and no name that Python, pytest or Windows keep for themselves",
            next_command="mevgs-toolkit new-paradigm my-paradigm",
        )
    if name in find_paradigms():
        raise ToolkitError(
            f"The name {name!r} belongs to a built-in paradigm.",
            next_command=f"mevgs-toolkit new-paradigm my-{name}",
        )
    values = {"name": name, "module": module, "class_name": class_name}
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
