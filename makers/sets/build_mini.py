"""Build the stimulus set `mini` from public packages: `python -m makers.sets.build_mini --help`.

What is needed:

- `@iconify/json` 2.2.535 from npm (`npm install @iconify/json@2.2.535`): many sets of icons;
- `openclipart-svg` 0.18+dfsg-19 from Debian (`/usr/share/openclipart/svg`): clip art;
- `espeak-ng` 1.51 and `librsvg2-bin` from Debian, `resvg-py` from PyPI (`pip install .[build]`).

What decides the result, all of it in the folder `stimuli/mini`:

- `selection.csv`: the drawings, each with its concept, family, style, split, licence and author;
- `rejected.csv`: drawings that carry the right name and were left out, with the reason;
- `words.csv`: the 33 words in three languages.

The same packages give the same bytes every time: inks are derived from the drawing's name, pitch
and rate from the word and the voice, and nothing is drawn at random. How the drawings were chosen
is told in its `README.md`. On one core it takes about eight minutes, most of it for speech.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from makers.commands import run
from makers.sets import drawing
from stimuli import espeak, media, speech
from stimuli.errors import ToolkitError
from stimuli.writing import write_media, write_set

SOURCES = Path(__file__).parents[2] / "stimuli" / "mini"
"""Where the selection and the words are kept."""
LANGUAGES = ("en", "nl", "fr")
PICTURE_SIZE_PX = 96
VERSION = "1.0.0"

log = logging.getLogger(__name__)


def build(iconify: Path, openclipart: Path, out: Path, jobs: int = 1) -> None:
    """Draw every picture, say every word, and write the tables.

    Args:
        iconify: folder of the npm package `@iconify/json`.
        openclipart: folder with the SVG files of openclipart.
        out: folder of the set; made where it is missing. Pictures and clips that lie in it and do
            not belong to the set are removed.
        jobs: how many words are said at the same time.

    Raises:
        ToolkitError: a package or a program is missing, or is not the one the selection was made
            from.
    """
    out.mkdir(parents=True, exist_ok=True)
    log.info("drawing pictures")
    rows = list(draw_pictures(iconify, openclipart, out))
    log.info("%d pictures; saying words", len(rows))
    rows += say_words(out, jobs)
    remove_strangers(out, {row["path"] for row in rows})
    write_set(out, settings(iconify), rows)
    log.info("%d files in %s", len(rows), out)


def draw_pictures(iconify: Path, openclipart: Path, out: Path) -> Iterator[dict[str, str]]:
    """Draw the selected pictures, one icon set at a time, and yield their rows in file order.

    Args:
        iconify: folder of the npm package `@iconify/json`.
        openclipart: folder with the SVG files of openclipart.
        out: folder of the set; pictures go to `pictures/<concept>/`.

    Raises:
        ToolkitError: a drawing is missing.
    """
    chosen = read_csv(SOURCES / "selection.csv")
    statuses = {row["concept"]: row["status"] for row in read_csv(SOURCES / "words.csv")}
    by_set: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in chosen:
        by_set[row["source"].split(":")[0]].append(row)
    checksums = {}
    for set_name in sorted(by_set):
        icons = {} if set_name == "openclipart" else read_icon_set(iconify, set_name)
        for row in by_set[set_name]:
            name = row["source"].split(":", 1)[1]
            if set_name == "openclipart":
                picture = drawing.draw_clip_art(openclipart / name, PICTURE_SIZE_PX)
            else:
                ink = drawing.ink_for(row["source"])
                picture = drawing.draw_icon(icons, name, ink, PICTURE_SIZE_PX)
            path = picture_path(row)
            checksums[path] = write_media(out, path, media.encode_picture(picture))
    for row in chosen:
        path = picture_path(row)
        yield {
            "stimulus_id": row["stimulus_id"],
            "kind": "picture",
            "concept": row["concept"],
            "status": statuses[row["concept"]],
            "source": source_name(row["source"]),
            "licence": row["licence"],
            "split": row["split"],
            "path": path,
            "sha256": checksums[path],
            "family": row["family"],
            "style": row["style"],
            "author": row["author"],
        }


def say_words(out: Path, jobs: int) -> list[dict[str, str]]:
    """Say the words in every language and return their rows.

    Args:
        out: folder of the set; clips go to `words/<language>/<concept>/`.
        jobs: how many are said at the same time.
    """
    words = read_csv(SOURCES / "words.csv")
    utterances = [
        utterance
        for language in LANGUAGES
        for utterance in speech.plan(
            [speech.Word(row["concept"], row["status"], row[language]) for row in words], language
        )
    ]
    return speech.record(utterances, out, jobs)


def settings(iconify: Path) -> dict[str, object]:
    """The content of `set.toml`."""
    return {
        "name": "mini",
        "version": VERSION,
        "title": "33 things, drawn and said in three languages",
        "description": "13 familiar and 20 novel concepts: open drawings of several styles, and"
        " words spoken by espeak-ng in English, Dutch and French with 24 voices.",
        "languages": list(LANGUAGES),
        "licence": "differs between files: see the column licence of stimuli.csv, and NOTICE",
        "sample_rate_hz": espeak.SAMPLE_RATE_HZ,
        "picture_size_px": PICTURE_SIZE_PX,
        "made_from": [
            f"@iconify/json {json.loads((iconify / 'package.json').read_text('utf-8'))['version']}",
            f"openclipart-svg {debian_version('openclipart-svg')}",
            f"espeak-ng {espeak.version()}",
        ],
    }


def source_name(source: str) -> str:
    """A source of the selection as it stands in `stimuli.csv`.

    Example:
        >>> source_name("noto:bear")
        'iconify:noto/bear'
        >>> source_name("openclipart:animals/cat.svg")
        'openclipart:animals/cat.svg'
    """
    if source.startswith("openclipart:"):
        return source
    return "iconify:" + source.replace(":", "/", 1)


def picture_path(row: dict[str, str]) -> str:
    """Where the picture of a row of the selection goes."""
    return f"pictures/{row['concept']}/{row['stimulus_id']}{media.PICTURE_SUFFIX}"


def read_icon_set(iconify: Path, name: str) -> dict[str, object]:
    """One parsed file of `@iconify/json`."""
    path = iconify / "json" / f"{name}.json"
    if not path.is_file():
        raise ToolkitError(
            f"{path} is missing.",
            given=str(iconify),
            allowed="the folder of the npm package @iconify/json",
            next_command="npm install @iconify/json@2.2.535",
        )
    parsed: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return parsed


def read_csv(path: Path) -> list[dict[str, str]]:
    """All rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def remove_strangers(
    out: Path, paths: set[str], folders: Sequence[str] = ("pictures", "words")
) -> None:
    """Remove files of an earlier build that the set no longer names."""
    for folder in folders:
        for file in sorted((out / folder).rglob("*")):
            if file.is_file() and file.relative_to(out).as_posix() not in paths:
                file.unlink()


def debian_version(package: str) -> str:
    """Version of an installed Debian package, or `of unknown version` elsewhere."""
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    try:
        done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError):
        return "of unknown version"
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(prog="python -m makers.sets.build_mini", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--iconify", type=Path, required=True, help="folder of @iconify/json")
    parser.add_argument(
        "--openclipart",
        type=Path,
        default=Path("/usr/share/openclipart/svg"),
        help="folder of openclipart's SVG files (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=SOURCES, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="words said at the same time")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    build(given.iconify, given.openclipart, given.out, given.jobs)


if __name__ == "__main__":
    run(main)
