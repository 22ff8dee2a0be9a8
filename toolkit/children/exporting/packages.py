"""jsPsych as its authors publish it: pinned versions, whose content is checked byte by byte.

Nothing of it lies in this repository. It is fetched from the npm registry when a user exports a
page, by npm itself, and kept in the user's cache from then on.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from stimuli.files import write_atomic
from toolkit.errors import ToolkitError, first_line, quoted

CDN = "cdn"
"""What is typed for a page that loads jsPsych when it is opened."""
CDN_ADDRESS = "https://unpkg.com"
"""Where such a page loads the files of npm packages from; jsPsych's own manual names it."""
SCRIPT = "dist/index.browser.min.js"
"""The file of a package that browsers load."""
SLOWEST_S = 300
"""Seconds after which npm is no longer waited for."""
LICENCE = """The MIT License (MIT)

Copyright (c) 2014-2018 Joshua R. de Leeuw

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and \
associated documentation files (the "Software"), to deal in the Software without restriction, \
including without limitation the rights to use, copy, modify, merge, publish, distribute, \
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is \
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or \
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT \
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND \
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, \
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT \
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
"""Licence of jsPsych and its plugins; its npm packages carry no copy of it."""


@dataclass(frozen=True)
class Package:
    """One npm package at the version that is used, and what its files must be."""

    name: str
    """Its name on the registry."""
    version: str
    """The version that is pinned."""
    archive: str
    """Integrity of the archive, as the registry tells it."""
    script: str
    """Integrity of `SCRIPT` in it, which is all that is used."""

    @property
    def spec(self) -> str:
        """Name and version, as npm takes them."""
        return f"{self.name}@{self.version}"

    @property
    def file_name(self) -> str:
        """What npm calls the archive."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


PACKAGES = (
    Package(
        "jspsych",
        "8.3.0",
        "sha512-UrwSVG14v8oRX6WFQ1L6uuGT0G7KgRDSH48iKIVIQI+y"
        "MRGAlvg+tEUNFKe/1xZxgk3kZiZ5xP0AnpPqPj1zkg==",
        "sha512-MInxHu/3/uR6qlMjyY1SQfXE52K9tyeFAkcu4lZh44sv"
        "rdh/z6jeKp6Y9wRSJ5rSA0rIGE1V2NR79q86vJSrgA==",
    ),
    Package(
        "@jspsych/plugin-preload",
        "2.1.0",
        "sha512-tQUViQQNK5RXc+sYjNyV1NKl8gt9Wl+sZ55kpW1eEn9I"
        "84WCSBtjPDthr7WxGMZeK+E/ybYucWMVcIwlncaHAg==",
        "sha512-gdvvMdAGS3TjLt4w9bJQGiZyxBuqtfhaY5H+HA0cjq71"
        "sLho8bK2LyjsHdms2U4+tzt0Vb6w11XnPEkWcq5Fng==",
    ),
    Package(
        "@jspsych/plugin-html-button-response",
        "2.1.0",
        "sha512-AhJPePA8s/ount+QYtqfgMtEkz7g+j+bnhQ9XqxfsnK2"
        "f5MdnlakYtpjxW9YgFx9y0Gs7yb7OZk1+omcKlzaEQ==",
        "sha512-MAz+Bi7B0ucyyyFZmTVOvO4lF0NMUqlxI92wSFKm4PwL"
        "RlNL95cdw7hdwBiQy5b6N1sqvrzxMhMl/ZG08/tNYw==",
    ),
    Package(
        "@jspsych/plugin-audio-button-response",
        "2.1.1",
        "sha512-gKE6n99HpjGMSZ+5D8E/Qa0zfXef50cF3aWbXlSHGWqZ"
        "S4REEpRkBOBGo+exdJ9lK+EKPGR+MUSrz3XXnkFC/w==",
        "sha512-NrktAwqVFv41dCHpTHXNcc99SmCpgrIqawzcDVkff9Yj"
        "mlCaTq7A1AxkmookFxT8lrKeW8VgD30ybJKZ1Bglzg==",
    ),
)
"""All that a page needs, in the order in which it is loaded."""
SPECS = " ".join(one.spec for one in PACKAGES)


def integrity(content: bytes) -> str:
    """SHA-512 of a file as npm and browsers write it.

    Example:
        >>> integrity(b"")[:14]
        'sha512-z4PhNX7'
    """
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def cache_folder() -> Path:
    """Where archives are kept, whether or not it is there."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mevgs-toolkit" / "jspsych"


def find_scripts(folder: Path | None = None) -> list[str]:
    """Read jsPsych and its plugins from a folder, from the cache, or through npm into the cache.

    Args:
        folder: where the user has it: archives of `npm pack`, or a folder in which `npm install`
            was run; None for the cache, which is filled first if need be.

    Returns:
        Scripts as they may stand in a page, in the order in which they run.

    Raises:
        ToolkitError: it is not there and cannot be fetched, or it is not what was published.
    """
    if folder is None:
        folder = cache_folder()
        if not all((folder / one.file_name).is_file() for one in PACKAGES):
            fetch()
    return [_embeddable(_script(package, folder).decode()) for package in PACKAGES]


def fetch() -> None:
    """Fetch all packages with npm into the cache.

    Raises:
        ToolkitError: there is no npm, it fails, or an archive is not the one that is pinned.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise _nowhere("npm is not installed")
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        command = [npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", made]
        try:
            said = subprocess.run(
                [*command, *(one.spec for one in PACKAGES)],
                cwd=made,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=SLOWEST_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _nowhere(f"npm did not answer ({first_line(error)})") from error
        if said.returncode:
            told = said.stderr.strip() or "it says nothing"
            raise _nowhere(f"npm could not fetch it ({told.splitlines()[-1]})")
        for package in PACKAGES:
            archive = Path(made) / package.file_name
            if not archive.is_file():
                raise _nowhere(f"npm left no {package.file_name}")
            content = archive.read_bytes()
            _check(content, package.archive, package.spec)
            with write_atomic(folder / package.file_name) as unfinished:
                unfinished.write_bytes(content)


def _nowhere(why: str) -> ToolkitError:
    return ToolkitError(
        f"The page needs jsPsych, and {why}.",
        allowed="npm (of Node.js) on this machine and a network, once: it is kept in "
        f"{cache_folder()}; or --jspsych DIR, a folder with what `npm pack {SPECS}` leaves; or "
        "--jspsych cdn, for a page that loads the same versions whenever it is opened",
        next_command="the same command with --jspsych DIR or --jspsych cdn",
    )


def _script(package: Package, folder: Path) -> bytes:
    """The script of a package, from its archive or from where it was installed."""
    archive = folder / package.file_name
    if archive.is_file():
        content = archive.read_bytes()
        _check(content, package.archive, str(archive))
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as opened:
            member = opened.extractfile(f"package/{SCRIPT}")
            script = member.read() if member else b""
        _check(script, package.script, f"{SCRIPT} in {archive}")
        return script
    for place in (folder / "node_modules" / package.name, folder / package.name):
        if (place / SCRIPT).is_file():
            script = (place / SCRIPT).read_bytes()
            _check(script, package.script, str(place / SCRIPT))
            return script
    raise ToolkitError(
        f"{package.spec} is not in the folder {folder}.",
        given=str(folder),
        allowed=f"{package.file_name} in it, or node_modules/{package.name}",
        next_command=f"npm pack --pack-destination {quoted(folder)} {SPECS}",
    )


def _check(content: bytes, told: str, what: str) -> None:
    if integrity(content) != told:
        raise ToolkitError(
            f"{what} is not what its authors published under the version that is used here.",
            given=integrity(content),
            allowed=told,
            next_command=f"remove it, then: npm pack {SPECS}",
        )


def _embeddable(script: str) -> str:
    """A script as it may stand in a page: it names no other file, and ends where it ends."""
    alone = re.sub(r"^//# sourceMappingURL=.*$", "", script, flags=re.MULTILINE)
    return alone.replace("</script", "<\\/script").strip()
