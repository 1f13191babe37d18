"""A headless Chromium that opens pages of files, with the network cut, and tells what it saw."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket

CHROMIUM: str | None = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE: float = 60.0  # seconds, for a loaded machine

needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="there is no chromium on this machine")

# Boxes wider than their place. Code, closed until asked for, and tables of notebooks may scroll.
_LIST_CUT = """(() => {
  const found = [], box = (element) => element.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  for (const element of document.body.querySelectorAll("*:not(svg *)")) {
    const scrolls = getComputedStyle(element).overflowX !== "visible" && element.clientWidth;
    const hidden = element.closest(".skip, details.code, .jp-RenderedHTML");
    const over = scrolls && element.scrollWidth > element.clientWidth + 1;
    if (!hidden && (over || box(element).right > width + 1)) {
      found.push(`${element.tagName}: ${element.textContent.trim().slice(0, 40)}`);
    }
  }
  for (const text of document.querySelectorAll("svg text")) {
    const inner = box(text), outer = box(text.closest("svg"));
    if (inner.left < outer.left - 1 || inner.right > outer.right + 1) found.push(text.textContent);
  }
  return found;
})()"""


class Browser:
    """One tab, spoken to by Chromium's DevTools protocol.

    Attributes:
        said: All events since the page was opened: (method, parameters).
    """

    def __init__(self, address: str) -> None:
        self.said: list[tuple[str, dict]] = []
        self._socket = websocket.create_connection(address, PATIENCE, suppress_origin=True)
        self._count = 0

    def call(self, method: str, **parameters: object) -> dict:
        """Ask for something and wait for the answer; events on the way are kept."""
        self._count += 1
        request = {"id": self._count, "method": method, "params": parameters}
        self._socket.send(json.dumps(request))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._count:
                assert "error" not in message, message
                return message["result"]
            self.said.append((message["method"], message["params"]))

    def open(self, path: Path, width: int = 1280, scheme: str = "light") -> None:
        """Open a file as a reader would who has no network, and wait until it is loaded.

        Args:
            path: The page.
            width: Of the window, in pixels.
            scheme: Which colours the reader prefers, `light` or `dark`.
        """
        self.said.clear()
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=0,
            uploadThroughput=0,
        )
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        colours = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", features=colours)
        self.call("Page.navigate", url=path.resolve().as_uri())
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self._is_loaded(path):
            time.sleep(0.05)
        assert self._is_loaded(path), f"{path} did not load"

    def _is_loaded(self, path: Path) -> bool:
        state = "document.readyState === 'complete' && location.pathname"
        return self.run(state) == path.resolve().as_uri().removeprefix("file://")

    def run(self, script: str) -> object:
        """Run JavaScript in the page and give the value of its last expression."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def list_problems(self) -> list[str]:
        """List failed requests, errors of scripts, and what was said to the console as an error."""
        names = {"Network.loadingFailed", "Runtime.exceptionThrown"}
        loud = {"Runtime.consoleAPICalled": "type", "Log.entryAdded": "level"}
        return [
            f"{method}: {parameters}"
            for method, parameters in self.said
            if method in names
            or (parameters.get("entry", parameters).get(loud.get(method, "")) == "error")
        ]

    def list_cut(self) -> list[str]:
        """List what is cut off: text beyond its figure, boxes that stick out or scroll sideways."""
        return self.run(_LIST_CUT)

    def list_requests(self) -> list[str]:
        """List what the page asked for, itself and addresses with their content inside aside."""
        urls = [
            parameters["request"]["url"]
            for method, parameters in self.said
            if method == "Network.requestWillBeSent"
        ]
        return [url for url in urls[1:] if not url.startswith("data:")]


@contextmanager
def open_browser(folder: Path) -> Iterator[Browser]:
    """Start Chromium with an empty profile in a folder; it ends with the block."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    command = [CHROMIUM, *options, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Browser(_find_tab(folder / "DevToolsActivePort"))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _find_tab(port_file: Path) -> str:
    """Wait for Chromium to say its port; give the tab's address."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if port_file.is_file() and "\n" in port_file.read_text():
            port = port_file.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as tabs:
                pages = [tab for tab in json.load(tabs) if tab["type"] == "page"]
            if pages:
                return pages[0]["webSocketDebuggerUrl"]
        time.sleep(0.05)
    raise TimeoutError(f"Chromium named no port in {port_file}.")
