"""A page in headless Chromium, from a file and without a network: what a reader would meet."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

# Found out inside the page, which lies in a frame: a window has a least width, a frame has none.
ASK = """<script>addEventListener("load", () => parent.postMessage({
  width: innerWidth,
  content: document.documentElement.scrollWidth,
  paper: getComputedStyle(document.body).backgroundColor,
  figures: document.querySelectorAll("img, svg").length,
  unnamed: document.querySelectorAll("img:not([alt]), svg:not([aria-label])").length,
  loaded: performance.getEntriesByType("resource").length,
}, "*"))</script>"""
FRAME = """<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,">
<pre></pre><script>addEventListener("message", (message) => {{
  document.querySelector("pre").textContent = JSON.stringify(message.data)
}})</script><iframe src="page.html" style="width: {width}px; height: 800px; border: 0"></iframe>"""
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=3000"),
)


def look_at(page: Path, folder: Path, width: int, dark: bool = False) -> dict[str, object]:
    """Open a page and say how it is: widths, figures, what it loaded and its `console` lines.

    Args:
        page: The page.
        folder: An empty one, for copies.
        width: Of the view, in pixels.
        dark: Does the reader prefer dark pages?
    """
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed, so no page is looked at in a browser")
    text = page.read_text(encoding="utf-8").replace("</body>", f"{ASK}</body>")
    (folder / "page.html").write_text(text, encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    own = [f"--user-data-dir={folder / 'profile'}", f"--window-size={width + 100},900"]
    command = [program, *FLAGS, *scheme, *own, (folder / "frame.html").as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    answer = re.search(r"<pre>(\{.*?\})</pre>", result.stdout)
    assert answer, result.stderr[-2000:]
    console = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    return {**json.loads(html.unescape(answer[1])), "console": console}
