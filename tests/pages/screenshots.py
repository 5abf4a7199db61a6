"""Pictures of the page digesting articles, for the README: the real service in a real browser.

    python tests/pages/screenshots.py --english ARTICLE.html --korean ARTICLE.md [--out FOLDER]

The two files are served on this machine, their links are pasted, and the finished digests
photographed: English in light, Korean in dark, and the empty page on a phone.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright, expect

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
OUT = Path(__file__).parent / "screenshots"


class Quiet(SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        return "text/markdown; charset=utf-8" if str(path).endswith(".md") else "text/html"

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()


@contextmanager
def service(allowed: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environ = os.environ | {
            "SMARTDEVDIGEST_HTTP__PORT": str(port),
            "SMARTDEVDIGEST_WEB__ALLOW_HOSTS": allowed,
            "SMARTDEVDIGEST_DATABASE__URL": f"sqlite+aiosqlite:///{folder}/shots.sqlite3",
        }
        process = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=environ)
        address = f"http://127.0.0.1:{port}"
        try:
            until_it_answers(f"{address}/healthz")
            yield address
        finally:
            process.terminate()
            process.wait(15)


def until_it_answers(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=1)  # noqa: S310 - our own service
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(address)


async def photograph(address: str, shots: dict[str, dict[str, Any]], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for name, shot in shots.items():
            await one(browser, address, out / f"{name}.png", **shot)
        await browser.close()


async def one(
    browser: Browser,
    address: str,
    out: Path,
    *,
    locale: str,
    dark: bool,
    link: str | None,
    size: Any,
) -> None:
    context = await browser.new_context(
        locale=locale,
        viewport=size,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(address)
    await expect(page.locator(".sample")).to_have_count(4)
    if link is not None:
        await page.fill("#say", link)
        await page.keyboard.press("Enter")
        await expect(page.locator(".messages .context").last).to_be_visible(timeout=60_000)
        await page.wait_for_timeout(500)
    await page.screenshot(path=str(out))
    await context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("--korean", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    desk = {"width": 1280, "height": 1180}
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder)) as host,
        service(host) as address,
    ):
        for article in (arguments.english, arguments.korean):
            (Path(folder) / article.name).write_bytes(article.read_bytes())
        shots: dict[str, dict[str, Any]] = {
            "english-light": {
                "locale": "en-US",
                "dark": False,
                "size": desk,
                "link": f"http://{host}/{arguments.english.name}",
            },
            "korean-dark": {
                "locale": "ko-KR",
                "dark": True,
                "size": desk,
                "link": f"http://{host}/{arguments.korean.name}",
            },
            "phone": {
                "locale": "ko-KR",
                "dark": False,
                "size": {"width": 375, "height": 760},
                "link": None,
            },
        }
        asyncio.run(photograph(address, shots, arguments.out))


if __name__ == "__main__":
    main()
