"""Every saved page from bytes to digest: none may crash, and walls are told from articles.

    python tests/benchmarks/bench_pages.py --data ../shared/data/extraction [--engine echo]

Prints a table by collection, and each page that was refused with its reason.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from core.article import Page
from core.digesting import Digester
from core.errors import DigestError
from core.ports import Extract

COLLECTIONS = ("zyte", "readability", "trafilatura")


def pages(root: Path, collection: str) -> Iterator[tuple[str, Page]]:
    with gzip.open(root / f"{collection}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            path = root / row["html_file"]
            if not path.exists():
                path = root / collection / Path(row["html_file"]).name
            body = gzip.decompress(path.read_bytes())
            url = row.get("url") or f"https://example.org/{row['id']}"
            yield row["id"], Page(url=url, body=body, content_type="text/html")


async def measure(root: Path, engine: str) -> None:
    from bot.configuration import load
    from bot.wiring import open_service

    settings = load()
    settings = settings.model_copy(
        update={"model": settings.model.model_copy(update={"engine": engine})}
    )
    async with open_service(settings) as service:
        print(f"{datetime.now(UTC):%Y-%m-%d}, engine {service.engine.name}\n")
        print(
            "| collection | pages | digested | refused | crashed | median s |\n|---|---|---|---|---|---|"
        )
        refused: list[str] = []
        for collection in COLLECTIONS:
            outcome: Counter[str] = Counter()
            seconds = []
            for name, page in pages(root, collection):
                started = time.monotonic()
                reason = await tried(service.intake.extract, service.digester, page)
                seconds.append(time.monotonic() - started)
                outcome[reason.split(":")[0]] += 1
                if reason != "digested":
                    refused.append(f"{collection} {name} {reason}")
            total = sum(outcome.values())
            middle = sorted(seconds)[len(seconds) // 2]
            print(
                f"| {collection} | {total} | {outcome['digested']} | {outcome['refused']} |"
                f" {outcome['crashed']} | {middle:.1f} |",
                flush=True,
            )
    print("\n" + "\n".join(refused))


async def tried(extract: Extract, digester: Digester, page: Page) -> str:
    try:
        article = await asyncio.to_thread(extract, page)
        record = await digester.digest(article)
    except DigestError as error:
        return f"refused: {error.code} {error.reason}"
    except Exception as error:  # noqa: BLE001 - a crash is what this script looks for
        return f"crashed: {type(error).__name__} {error}"
    return "digested" if record.digest.summary else "crashed: empty summary"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/extraction"))
    parser.add_argument("--engine", default="ctranslate2", choices=("ctranslate2", "echo"))
    arguments = parser.parse_args()
    asyncio.run(measure(arguments.data, arguments.engine))


if __name__ == "__main__":
    main()
