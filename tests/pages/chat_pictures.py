"""Pictures of what the bot says in Slack and Discord, for the README.

    python tests/pages/chat_pictures.py
    python tests/pages/chat_pictures.py --out pictures --english RECORD.json --korean RECORD.json

Each shows a whole thread: a link, the digest with its buttons, and in a strip the placeholder
and a refusal. The digests are records of the product itself, made with

    smartdevdigest digest ARTICLE --url ADDRESS --json --details > RECORD.json

of PostgreSQL's documentation (PostgreSQL licence) and React's Korean documentation (CC BY 4.0).
`bot/slack/render.py` and `bot/discord/render.py` turn them into what would be sent, and
`chat_pictures/` (JavaScript, for pictures only; `npm ci` runs by itself) draws that: blocks by
slack-blocks-to-jsx, Discord's messages by discord-components-core, Components V2 by our own CSS.

Needs node, Debian's chromium, fonts-noto-cjk, fonts-noto-core, fonts-noto-color-emoji and
fonts-lato; pngquant makes the files smaller where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from bot.chats import Ready, Shown, Trouble, Waiting
from bot.discord import render as discord_render
from bot.discord.titles import thread_name
from bot.slack import render as slack_render
from core.article import Language
from core.digest import DigestRecord
from core.errors import LoginWall
from core.places import Place, Platform, SharedLink

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
HERE = Path(__file__).parent / "chat_pictures"
OUT = Path(__file__).parent / "screenshots"
WIDTH = 760

Json = dict[str, Any]
BOT: Json = {"name": "SmartDevDigest", "colour": "#3f51c7", "bot": True}
PERSON: dict[Language, Json] = {
    "en": {"name": "Mina Park", "colour": "#0f7b6c", "bot": False},
    "ko": {"name": "박민아", "colour": "#0f7b6c", "bot": False},
}
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "said": "Worth a read before we talk on Thursday:",
        "channel": "reading",
        "thread": "Thread",
        "replies": "1 reply",
        "app": "APP",
        "slack": "9:41 AM",
        "discord": "Today at 9:41 AM",
        "waiting": "A moment after the link",
        "refused": "A page behind a log-in",
    },
    "ko": {
        "said": "목요일 모임 전에 읽어 보면 좋겠어요:",
        "channel": "읽을거리",
        "thread": "스레드",
        "replies": "댓글 1개",
        "app": "앱",
        "slack": "오전 9:41",
        "discord": "오늘 오전 9:41",
        "waiting": "링크를 올린 직후",
        "refused": "로그인이 필요한 페이지",
    },
}
PRIVATE = "https://intranet.example.com/design/storage"


# --- what is shown


def scene(platform: Platform, record: DigestRecord, ui: Language, theme: str) -> Json:
    words = WORDS[ui]
    url = record.article.url
    assert url is not None
    shared = SharedLink(url, Place(platform, "1", "2"), message="3", by="4", ui=ui)
    private = replace(shared, link=PRIVATE)
    strip = (
        ("waiting", Waiting(), shared),
        ("refused", Trouble(LoginWall(PRIVATE)), private),
    )
    called = words["thread"] if platform == "slack" else thread_name(shared, Waiting())
    return {
        "platform": platform,
        "theme": theme,
        "ui": ui,
        "words": {**words, "thread": called},
        "messages": [
            {"author": PERSON[ui], "at": words[platform], **asked(platform, words["said"], url)},
            answer(platform, Ready(record), shared),
        ],
        "strip": [
            {"caption": words[caption], **answer(platform, shown, link)}
            for caption, shown, link in strip
        ],
    }


def asked(platform: Platform, said: str, url: str) -> Json:
    if platform == "discord":
        return {"text": f"{said} {url}"}
    elements = [{"type": "text", "text": f"{said} "}, {"type": "link", "url": url}]
    section = {"type": "rich_text_section", "elements": elements}
    return {"blocks": [{"type": "rich_text", "elements": [section]}]}


def answer(platform: Platform, shown: Shown, shared: SharedLink) -> Json:
    """Exactly what the bot would send."""
    said: Json = {"author": BOT, "at": WORDS[shared.ui][platform]}
    if platform == "slack":
        blocks, _ = slack_render.message(shown, shared, shared.key)
        return said | {"blocks": blocks}
    view = discord_render.layout(shown, shared, shared.key)
    return said | {"components": view.to_components()}  # type: ignore[no-untyped-call]


def record_in(path: Path) -> DigestRecord:
    """From what `smartdevdigest digest --json --details` printed."""
    found = json.loads(path.read_text(encoding="utf-8"))
    beside = {key: found.pop(key) for key in ("id", "article", "details")}
    return DigestRecord.model_validate({"digest": found, **beside})


# --- taking pictures


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise FileNotFoundError(
            f"{name} is needed for the pictures; install Debian's nodejs and npm"
        )
    return found


def draw(shown: Json) -> str:
    said = json.dumps(shown, ensure_ascii=False)
    made = subprocess.run(
        [program("node"), "draw.mjs"],
        cwd=HERE,
        input=said,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


async def photograph(scenes: dict[str, Json], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        page = await browser.new_page(viewport={"width": WIDTH, "height": 100})
        for name, shown in scenes.items():
            await page.emulate_media(color_scheme=shown["theme"], reduced_motion="reduce")
            await page.set_content(draw(shown))
            await page.evaluate("document.fonts.ready")
            await page.screenshot(path=str(out / f"{name}.png"), full_page=True)
        await browser.close()


def make_smaller(pictures: list[Path]) -> None:
    pngquant = shutil.which("pngquant")
    if pngquant is not None:
        subprocess.run([pngquant, "--force", "--ext", ".png", "--strip", *pictures], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    parser.add_argument("--english", type=Path, default=HERE / "records" / "english.json")
    parser.add_argument("--korean", type=Path, default=HERE / "records" / "korean.json")
    arguments = parser.parse_args()
    if not (HERE / "node_modules").exists():
        fetched = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(fetched, cwd=HERE, check=True)
    asyncio.run(take(arguments.out, record_in(arguments.english), record_in(arguments.korean)))


async def take(out: Path, english: DigestRecord, korean: DigestRecord) -> None:
    records: dict[Language, DigestRecord] = {"en": english, "ko": korean}
    platforms: tuple[Platform, ...] = ("slack", "discord")
    scenes = {
        f"{platform}-{ui}-{theme}": scene(platform, record, ui, theme)
        for platform in platforms
        for ui, record in records.items()
        for theme in ("light", "dark")
    }
    await photograph(scenes, out)
    make_smaller([out / f"{name}.png" for name in scenes])


if __name__ == "__main__":
    main()
