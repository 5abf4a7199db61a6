"""What a digest opens with: its first sentence beside one that a person wrote, by ROUGE.

    python tests/benchmarks/bench_opening.py --data ../shared/data [--limit 60] [--out OPENINGS.md]

Whole English digests, as the service makes them. Beside the sentence that opens: the one that would
open if all of them stood in the article's order, the article's own first sentence, and the title
(which stands above the digest anyway). --out writes both openings of each article, to be read by people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from bot.configuration import load  # noqa: E402
from bot.wiring import open_service  # noqa: E402
from core.article import Article  # noqa: E402
from core.chunks import Document  # noqa: E402
from core.digest import SummarySentence  # noqa: E402
from training.lines import rows  # noqa: E402
from training.reporting import interval  # noqa: E402
from training.sentences.gist import document_of, references  # noqa: E402
from training.sentences.headline import rouge  # noqa: E402

SETS = ("scitldr/dev", "go_blog/valid", "go_blog/train", "tech_specs/valid")


async def measure(root: Path, limit: int, out: Path | None) -> None:
    scores: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    lines: list[str] = []
    async with open_service(load()) as service:
        for name in SETS:
            for number, row in enumerate(rows(root / f"{name}.jsonl.gz")):
                if number >= limit:
                    break
                article = Article(title=row["title"], content=row["content"], language="en")
                record = await service.digester.digest(article)
                document = document_of(row)
                opening, ordered = openings(document, record.details.sentences)
                wanted = references(row)
                told = {
                    "title": row["title"],
                    "the article's first": document.sentences[0].text,
                    "in the article's order": ordered.text,
                    "as it opens": opening.text,
                }
                for way, text in told.items():
                    scores[name][way].append(rouge(wanted, text, "en"))
                lines += [f"**{row['title']}** ({name})", f"- a person: {wanted[0]}"]
                lines += [f"- {way}: {text}" for way, text in list(told.items())[2:]] + [""]
    if out:
        out.write_text("\n".join(lines), encoding="utf-8")
    report(scores)


def openings(
    document: Document, sentences: tuple[SummarySentence, ...]
) -> tuple[SummarySentence, SummarySentence]:
    """The sentence that opens, and the one whose source comes first in the article."""
    places = {one.text: one.index for one in reversed(document.sentences)}
    first = min(sentences, key=lambda one: places.get(one.source, len(places)))
    return sentences[0], first


def report(scores: dict[str, dict[str, list[np.ndarray]]]) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, ROUGE-1/2/L\n")
    ways = list(next(iter(scores.values())))
    print("| | articles | " + " | ".join(ways) + " |\n|---|---|" + "---|" * len(ways))
    for name, found in scores.items():
        means = ("/".join(f"{x:.1f}" for x in np.mean(found[way], axis=0)) for way in ways)
        print(f"| {name} | {len(found[ways[0]])} | " + " | ".join(means) + " |")
    apart = {
        name: _apart(found["as it opens"], found["in the article's order"])
        for name, found in scores.items()
    }
    print("\nROUGE-1 more than in the article's order, 95 %: " + json.dumps(apart))


def _apart(one: list[np.ndarray], other: list[np.ndarray]) -> str:
    """Mean difference of ROUGE-1 with its interval, by bootstrap over articles."""
    difference = np.array([a[0] - b[0] for a, b in zip(one, other, strict=True)])
    low, high = interval(lambda drawn: float(difference[drawn].mean()), len(difference))
    return f"{difference.mean():.1f} [{low:.1f}, {high:.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--limit", type=int, default=60, help="articles of each set")
    parser.add_argument("--out", type=Path, help="both openings of each article, as Markdown")
    asked = parser.parse_args()
    asyncio.run(measure(asked.data, asked.limit, asked.out))


if __name__ == "__main__":
    main()
