"""A 1,500-word article from text to digest: time to each thing a reader sees, and memory.

    python tests/benchmarks/bench_digest.py --data ../shared/data [--runs 3]

Warm, after fetching. Articles: engineering blog posts of 1,300 to 1,700 words. A child process
holds the service, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.article import Article
from core.progress import Checking, Drafting, Finished, Judged


def articles(root: Path) -> list[Article]:
    rows: list[dict[str, Any]] = []
    for name in ("go_blog/train", "go_blog/valid"):
        with gzip.open(root / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows += [json.loads(line) for line in lines]
    found = [row for row in rows if 1300 <= len(row["content"].split()) <= 1700]
    return [Article(title=r["title"], content=r["content"], url=r["url"]) for r in found]


async def measure(root: Path, runs: int) -> None:
    from bot.configuration import load
    from bot.wiring import open_service

    chosen = articles(root)
    started = time.monotonic()
    async with open_service(load()) as service:
        ready = time.monotonic() - started
        await service.digester.digest(chosen[0])  # warm
        rows = [await timed(service.digester, article) for article in chosen * runs]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ready": ready, "peak": peak, "rows": rows, "articles": len(chosen)}))


async def timed(digester: Any, article: Article) -> dict[str, float]:
    start = time.monotonic()
    row: dict[str, float] = {}
    async for event in digester.stream(article, "auto"):
        now = time.monotonic() - start
        if isinstance(event, Judged):
            row["difficulty and keywords"] = now
        elif isinstance(event, Drafting):
            row.setdefault("first text", now)
        elif isinstance(event, Checking):
            row["draft written"] = now
        elif isinstance(event, Finished):
            row["digest"] = now
            row["share drafted"] = event.record.details.drafted
            row["sentences rejected"] = event.record.details.rejected / max(
                1, event.record.details.checked
            )
    return row


def report(found: dict[str, Any]) -> None:
    cores = os.cpu_count()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {cores} cores, Python {platform.python_version()}"
    )
    print(
        f"{found['articles']} articles of 1,300 to 1,700 words, {len(found['rows'])} digests; service ready in"
        f" {found['ready']:.1f} s; peak memory {found['peak']:.0f} MiB\n"
    )
    print("| | p50 | p95 |\n|---|---|---|")
    for name in found["rows"][0]:
        values = sorted(row[name] for row in found["rows"] if name in row)
        p95 = values[min(len(values) - 1, int(len(values) * 0.95))]
        unit = " s" if name not in ("share drafted", "sentences rejected") else ""
        print(f"| {name} | {statistics.median(values):.2f}{unit} | {p95:.2f}{unit} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=int, default=1, help="times each article is digested")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        asyncio.run(measure(arguments.data, arguments.runs))
        return
    command = [
        sys.executable,
        __file__,
        "--child",
        "--data",
        str(arguments.data),
        "--runs",
        str(arguments.runs),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    report(json.loads(answer.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
