"""Makes the pictures of the documentation: ``python -m makers.site_pictures [NAME ...]``.

Runs are made as a user would make them, their reports are opened in headless Chromium, and what
it shows is written to ``docs/assets``. ``--runs DIR`` keeps the runs, so that asking again does
only what is missing. Needs chromium, chromedriver and the development packages.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from makers.commands import run
from stimuli.errors import ToolkitError
from stimuli.files import write_atomic

ASSETS = Path(__file__).parent.parent / "docs" / "assets"
WIDE, PHONE = (1280, 900), (390, 844)
QUALITY = 70
"""Of WebP: text stays sharp, and a picture stays below 150 kB."""


UNFOLDED = """
const part = document.querySelector(arguments[0])
part.querySelectorAll('details').forEach((one) => { one.open = true })
part.scrollIntoView({behavior: 'instant'})
"""
"""Shows a part with all that is folded in it."""


@dataclass(frozen=True)
class Picture:
    """One picture of one page."""

    asked: tuple[str, ...]
    """The command that makes the run."""
    at: str = ""
    """Selector of what stands at the top; the beginning of the page where it is empty."""
    size: tuple[int, int] = WIDE
    """Width and height, in pixels of CSS."""
    dark: bool = False
    """Whether the reader prefers dark pages."""


ME = (
    *("run-paradigm", "me", "--subject", "monolingual-en", "--subject", "bilingual-en-nl"),
    *("--language", "en"),
)
LOOKING = (
    *("run-paradigm", "looking-while-listening", "--subject", "bilingual-en-nl"),
    *("--subject", "untrained", "--language", "en"),
)
MAPS = ("run-paradigm", "dense-grounding", "--subject", "multilingual-clip")
PICTURES = {
    "report-top": Picture(ME),
    "report-phone": Picture(ME, size=PHONE),
    "report-dark": Picture(ME, dark=True),
    "report-figures": Picture(ME, at="#me-figures"),
    "report-trials": Picture(ME, at="#me-trials"),
    "report-methods": Picture(ME, at="#methods"),
    "report-looking": Picture(LOOKING),
    "report-maps": Picture(MAPS, at="#dense-grounding-maps"),
}
"""Pictures by name."""


def main() -> None:
    """Make all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description="Make the pictures of the documentation.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES))
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    asked = parser.parse_args()
    if strange := set(asked.names) - PICTURES.keys():
        raise ToolkitError(f"There is no picture {min(strange)!r}.", allowed=", ".join(PICTURES))
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        wanted = {name: PICTURES[name] for name in asked.names or PICTURES}
        pages = {one.asked: _page(one.asked, Path(folder)) for one in wanted.values()}
        with _browser() as browser:
            for name, one in wanted.items():
                _write(ASSETS / f"{name}.webp", _shown(browser, pages[one.asked], one))


def _page(asked: tuple[str, ...], folder: Path) -> Path:
    """The report of a run."""
    call = [sys.executable, "-c", "from toolkit.cli import main; main()"]
    done = subprocess.run(
        [*call, *asked, "--out", str(folder)],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1", "COLUMNS": "1000"},
    )
    lines = [line.split()[-1] for line in done.stdout.splitlines() if line.endswith("report.html")]
    return Path(lines[-1]).resolve()


@contextmanager
def _browser() -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        raise ToolkitError("Pictures need chromium and chromedriver (Debian: chromium-driver).")
    options = Options()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()


def _shown(browser: Any, page: Path, picture: Picture) -> Image.Image:
    """What a reader sees of a page."""
    width, height = picture.size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if picture.dark else "light"}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get(page.as_uri())
    if picture.at:
        browser.execute_script(UNFOLDED, picture.at)
    # A figure is a drawing until it comes alive, and is exchanged at once: no state is half drawn.
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
    return Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")


def _write(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(exist_ok=True)
    with write_atomic(path) as unfinished:
        image.save(unfinished, "WEBP", quality=QUALITY, method=6)


if __name__ == "__main__":
    run(main)
