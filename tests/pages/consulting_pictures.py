"""Pictures of /explain in Slack and /ask in Discord, for the README.

    python tests/pages/consulting_pictures.py [--out pictures]

The articles are the samples that come with the product, so what is pictured can be asked for at
home; drawing is that of `chat_pictures.py`, and needs what it needs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

from chat_pictures import (  # type: ignore[import-not-found]  # noqa: E402 - beside this file
    BOT,
    OUT,
    PERSON,
    WORDS,
    make_smaller,
    photograph,
)
from support.consulting import a_consulting  # noqa: E402
from support.little_library import LittleLibrary  # noqa: E402

from bot.discord import consulted as on_discord  # noqa: E402
from bot.http.samples import SAMPLES  # noqa: E402
from bot.slack import consulted as on_slack  # noqa: E402
from core.article import Article, Language, Page  # noqa: E402
from core.explaining import Explanation  # noqa: E402
from core.library import Everything  # noqa: E402
from core.settings import WebSettings  # noqa: E402
from core.web.extract import Extractor  # noqa: E402

Json = dict[str, Any]
SITE = "https://blog.example.com"
EXPLAINED: dict[Language, str] = {"en": "WAL", "ko": "파드"}
ASKED: dict[Language, str] = {
    "en": "Why does a database keep a write-ahead log?",
    "ko": "파드는 왜 다시 시작되나요?",
}


async def a_library() -> LittleLibrary:
    extract, library = Extractor(WebSettings()), LittleLibrary()
    for sample in SAMPLES:
        address = SITE + sample.path
        page = Page(url=address, body=sample.file.read_bytes(), content_type="text/html")
        article: Article = extract(page)
        await library.read(article, difficulty=2.6)
    return library


async def scenes() -> dict[str, Json]:
    consulting = a_consulting(await a_library())
    found: dict[str, Json] = {}
    for ui, theme in (("en", "light"), ("ko", "dark")):
        language: Language = "en" if ui == "en" else "ko"
        explained = await consulting.explain(EXPLAINED[language], language, Everything())
        if not isinstance(explained, Explanation):
            raise RuntimeError(f"{EXPLAINED[language]} is not in the samples")
        answer = await consulting.ask(ASKED[language], Everything())
        blocks, _ = on_slack.explained(explained, language)
        view = on_discord.answered(answer, language, asked=ASKED[language])
        found[f"slack-explain-{ui}"] = scene("slack", theme, language, {"blocks": blocks})
        components = view.to_components()  # type: ignore[no-untyped-call]
        found[f"discord-ask-{ui}"] = scene("discord", theme, language, {"components": components})
    return found


def scene(platform: str, theme: str, ui: Language, said: Json) -> Json:
    words = WORDS[ui]
    typed = f"/explain {EXPLAINED[ui]}" if platform == "slack" else f"/ask {ASKED[ui]}"
    asked: Json = {"text": typed}
    if platform == "slack":
        section = {"type": "rich_text_section", "elements": [{"type": "text", "text": typed}]}
        asked = {"blocks": [{"type": "rich_text", "elements": [section]}]}
    return {
        "platform": platform,
        "theme": theme,
        "ui": ui,
        "words": {**words, "thread": words["channel"]},
        "messages": [
            {"author": PERSON[ui], "at": words[platform], **asked},
            {"author": BOT, "at": words[platform], **said},
        ],
        "strip": [],
    }


async def take(out: Path) -> None:
    found = await scenes()
    await photograph(found, out)
    make_smaller([out / f"{name}.png" for name in found])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    asyncio.run(take(parser.parse_args().out))
