"""What a digest opens with: its first sentence beside one that a person wrote, by ROUGE.

    python tests/benchmarks/bench_opening.py --data ../shared/data [--limit 60] [--out OPENINGS.md]
    python tests/benchmarks/bench_opening.py --posts FOLDER | FILE.jsonl [--out OPENINGS.md]

Whole digests, as the service makes them. Beside the sentence that opens: the one that would open if
all of them stood in the article's order, the article's own first sentence, and the title (which stands
above the digest anyway). --posts: a checkout of any blog written in Markdown whose authors say in the
head of a post what it is about (`excerpt`, `description`), or what `python -m training posts` made of
such; Korean by syllables. --out writes both openings of each article, to be read by people.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2])]

from bot.configuration import load  # noqa: E402
from bot.wiring import open_service  # noqa: E402
from core.article import Article, Page  # noqa: E402
from core.chunks import Document, cut  # noqa: E402
from core.digest import Details, SummarySentence  # noqa: E402
from core.errors import NothingToRead  # noqa: E402
from core.language import detect  # noqa: E402
from core.settings import WebSettings  # noqa: E402
from core.web.answers import MARKDOWN  # noqa: E402
from core.web.extract import Extractor  # noqa: E402
from core.web.front_matter import front_matter, one  # noqa: E402
from training.lines import rows  # noqa: E402
from training.reporting import interval  # noqa: E402
from training.sentences.gist import references  # noqa: E402
from training.sentences.headline import rouge  # noqa: E402

SETS = ("scitldr/dev", "go_blog/valid", "go_blog/train", "tech_specs/valid")


# A post, and a description, of fewer words are none.
_POST, _DESCRIPTION = 150, 4


@dataclass(frozen=True, slots=True)
class Told:
    """An article with what people say of it in a sentence or two."""

    set: str
    article: Article
    wanted: Sequence[str]


def of_sets(root: Path, limit: int) -> Iterator[Told]:
    for name in SETS:
        for row in islice(rows(root / f"{name}.jsonl.gz"), limit):
            yield _told(name, row)


def _told(name: str, row: dict[str, Any]) -> Told:
    article = Article(title=row["title"], content=row["content"], language="en")
    return Told(name, article, references(row))


def of_posts(folder: Path, limit: int) -> Iterator[Told]:
    """Posts of which something else than their title is said; of a file, so many of each site."""
    if folder.is_file():
        sites: Counter[str] = Counter()
        for row in rows(folder):
            sites[row["source"]] += 1
            if sites[row["source"]] <= limit:
                yield _told(row["source"], row)
        return
    yield from islice(filter(None, map(_post, sorted(folder.rglob("*.md")))), limit)


def _post(path: Path) -> Told | None:
    body = path.read_bytes()
    head, _ = front_matter(body.decode(errors="replace"))
    said = one(head, "excerpt") or one(head, "description") or ""
    try:
        article = Extractor(WebSettings())(Page(url="", body=body, content_type=MARKDOWN))
    except NothingToRead:
        return None
    short = len(said.split()) < _DESCRIPTION or len(article.content.split()) < _POST
    if short or said == article.title:
        return None
    return Told(f"posts, {detect(article.content)}", article, [said])


async def measure(articles: Iterable[Told], out: Path | None) -> None:
    scores: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    made: dict[str, Made] = defaultdict(Made)
    lines: list[str] = []
    async with open_service(load()) as service:
        for given in articles:
            record = await service.digester.digest(given.article)
            document = cut(given.article, 330)
            opening, ordered = openings(document, record.details.sentences)
            told = {
                "title": given.article.title or "",
                "the article's first": document.sentences[0].text,
                "in the article's order": ordered.text,
                "as it opens": opening.text,
                "all of it": record.digest.summary,
            }
            made[given.set].add(record.details)
            for way, text in told.items():
                scores[given.set][way].append(rouge(given.wanted, text, document.language))
            lines += [f"**{given.article.title}** ({given.set})", f"- a person: {given.wanted[0]}"]
            lines += [f"- {way}: {text}" for way, text in list(told.items())[2:4]] + [""]
    if out:
        out.write_text("\n".join(lines), encoding="utf-8")
    report(scores)
    print()
    for name, of in made.items():
        print(
            f"{name}: {of.model} of {of.sentences} sentences by the model; "
            f"{of.rejected} of its {of.checked} drafts rejected"
        )


@dataclass(slots=True)
class Made:
    """Of how many sentences digests are, and whose."""

    sentences: int = 0
    model: int = 0
    checked: int = 0
    rejected: int = 0

    def add(self, details: Details) -> None:
        self.sentences += len(details.sentences)
        self.model += sum(one.origin == "model" for one in details.sentences)
        self.checked += details.checked
        self.rejected += details.rejected


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
    parser.add_argument("--posts", type=Path, help="posts instead of the sets")
    parser.add_argument("--limit", type=int, default=60, help="articles of each set")
    parser.add_argument("--out", type=Path, help="both openings of each article, as Markdown")
    asked = parser.parse_args()
    found = of_posts(asked.posts, asked.limit) if asked.posts else of_sets(asked.data, asked.limit)
    asyncio.run(measure(found, asked.out))


if __name__ == "__main__":
    main()
