"""A scripted child in front of an exported page, and whoever the page may talk to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.reports.browsing import open_page, wait_for
from toolkit.children.exporting.packages import PACKAGES, cache_folder

CACHED = all((cache_folder() / one.file_name).is_file() for one in PACKAGES)
needs_jspsych = pytest.mark.skipif(
    not CACHED, reason="needs jsPsych's npm packages in the cache: export a page once, with npm"
)
READY = "document.querySelectorAll('.picture:enabled').length === 2"
DONE = "document.querySelector('#end[data-done]') !== null"


def press(browser: Any, selector: str) -> None:
    browser.find_element("css selector", selector).click()


def fill(browser: Any, **values: str) -> None:
    for name, value in values.items():
        field = browser.find_element("id", name)
        field.clear()
        field.send_keys(value)


def begin(browser: Any, participant: str = "kid-07", **further: str) -> None:
    """Go through the screens before the trials."""
    press(browser, "#agree")
    fill(browser, participant=participant, **further)
    press(browser, "#child button")
    press(browser, "#start")


def by_key(browser: Any, place: int) -> None:
    from selenium.webdriver import ActionChains, Keys

    key = (Keys.ARROW_LEFT, Keys.ARROW_RIGHT)[place]
    ActionChains(browser).send_keys(key).perform()


def by_mouse(browser: Any, place: int) -> None:
    browser.find_elements("css selector", ".picture")[place].click()


def by_touch(browser: Any, place: int) -> None:
    box = browser.find_elements("css selector", ".picture")[place].rect
    point = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    for kind, points in (("touchStart", [point]), ("touchEnd", [])):
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


WAYS = {"keyboard": by_key, "mouse": by_mouse, "touch": by_touch}


def answer(browser: Any, device: str, right: bool = True) -> bool:
    """Wait for the next trial and choose a picture; False if there is none left."""
    wait_for(browser, f"return {READY} || {DONE}")
    if browser.execute_script(f"return {DONE}"):
        return False
    n, side = browser.execute_script(
        "const n = session.rows.length; return [n, DATA.lists[session.child.list][n][1]]"
    )
    asked = f"return {READY} && session.rows.length === {n}"

    def choose() -> None:
        # What is touched while the page still lays itself out is not there.
        if browser.execute_script(asked):
            WAYS[device](browser, side if right else 1 - side)

    wait_for(browser, f"return session.rows.length > {n}", meanwhile=choose)
    return True


def answers(browser: Any) -> list[dict[str, Any]]:
    """Rows as the page keeps them."""
    rows: list[dict[str, Any]] = browser.execute_script("return session.rows")
    return rows


class Server:
    """A server of files, which keeps what is posted to it."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)
        self.posted: list[tuple[str, Any]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _headers(self, status: int, kind: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Access-Control-Allow-Headers", "*")
                self.end_headers()

            def do_GET(self) -> None:
                content = outer.files.get(self.path.partition("?")[0])
                kind = (
                    "text/html" if self.path.partition("?")[0].endswith(("html", "start")) else ""
                )
                kind = kind or ("text/javascript" if ".js" in self.path else "text/plain")
                self._headers(200 if content is not None else 404, kind)
                self.wfile.write(content or b"")

            def do_OPTIONS(self) -> None:
                self._headers(204)

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                content = json.loads(self.rfile.read(length))
                self._headers(outer.status)
                if outer.status == 200:
                    outer.posted.append((self.path, content))

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def serving(files: Mapping[str, bytes] | None = None) -> Iterator[Server]:
    """A server for as long as the block lasts."""
    server = Server(files or {})
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join()


@contextmanager
def opened(page: Path | str, width: int = 1280, downloads: Path | None = None) -> Iterator[Any]:
    """The page in a browser, whose downloads go into a folder."""
    browser = open_page(page, width)
    try:
        if downloads is not None:
            told = {"behavior": "allow", "downloadPath": str(downloads)}
            browser.execute_cdp_cmd("Browser.setDownloadBehavior", told)
        yield browser
    finally:
        browser.quit()
