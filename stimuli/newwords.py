"""A list of written words to be filled in, for the pictures of a folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from stimuli.errors import ToolkitError, nearest_name
from stimuli.files import write_atomic
from stimuli.folders import SUFFIXES
from stimuli.languages import LANGUAGES
from stimuli.texts import write_toml
from stimuli.wordlists import is_code

_HEAD = """\
# Written words for the pictures of {folder}: what is asked, in every language.
#
# Fill in what stands between the quotation marks, and delete concepts that are not to be asked. A
# word with an article: de = {{ word = "Hund", article = "ein" }}, with a second template in its
# language: templates = {{ bare = "{{word}}", article = "{{article}} {{word}}" }}.
# `resource` says how much text there is of a language for models to learn from: high or low.
#
# Then: mevgs-toolkit check-stimuli {folder} --words {file}
#       mevgs-toolkit run-paradigm dense-grounding --stimuli {folder} --words {file} \\
#         --subject multilingual-clip

reference = {reference}
"""


def new_words(folder: str | Path, languages: Sequence[str], out: str | Path) -> tuple[Path, int]:
    """Write a word list to be filled in.

    Concepts are called like the folders in the folder (or in its `pictures`), or else like the
    pictures in it, without what tells pictures of one thing apart: `dog 2.jpg` shows `dog`.

    Args:
        folder: of pictures.
        languages: codes; the first is the reference, whose words are the concepts' names.
        out: file to write; none may be there.

    Returns:
        The file, and the number of concepts in it.

    Raises:
        ToolkitError: no picture is there, a code is none, or the file is there already.
    """
    place, file = Path(folder), Path(out)
    if file.exists():
        raise ToolkitError(
            f"{file} is there already; it is left as it is.", next_command="--out FILE"
        )
    if not languages:
        raise ToolkitError("No language was named.", next_command="--languages en,de")
    for code in languages:
        if not is_code(code):
            raise ToolkitError(
                f"{code!r} is not the code of a language.",
                allowed="codes such as en, de or zh-TW",
                nearest=nearest_name(code, LANGUAGES),
            )
    concepts = _concepts(place)
    reference, *others = dict.fromkeys(languages)
    tables = {
        "languages": {
            code: {"name": LANGUAGES.get(code, code), "resource": "high",
                   "templates": {"bare": "{word}"}}
            for code in (reference, *others)
        },
        "words": {name: {reference: name, **dict.fromkeys(others, "")} for name in concepts},
    }  # fmt: skip
    head = _HEAD.format(folder=place, file=file, reference=f'"{reference}"')
    with write_atomic(file) as unfinished:
        unfinished.write_text(f"{head}\n{write_toml(tables)}", encoding="utf-8", newline="\n")
    return file, len(concepts)


def _concepts(place: Path) -> list[str]:
    """What the pictures of a folder show, by their names.

    Raises:
        ToolkitError: there are none.
    """
    inner = place / "pictures" if (place / "pictures").is_dir() else place
    there = sorted(inner.iterdir()) if inner.is_dir() else []
    shown = [one for one in there if not one.name.startswith(".")]
    names = [one.name for one in shown if one.is_dir() and _pictures(one.iterdir())]
    if not names:
        files = _pictures(shown)
        names = [file.stem.rstrip("0123456789 _-") or file.stem for file in files]
    if not names:
        raise ToolkitError(
            "There are no pictures.",
            given=str(place),
            allowed=f"pictures, or folders of them by concept, that end in {', '.join(SUFFIXES)}",
        )
    return list(dict.fromkeys(name.replace("/", "-") for name in names))


def _pictures(files: Iterable[Path]) -> list[Path]:
    return [one for one in files if one.suffix.lower() in SUFFIXES]
