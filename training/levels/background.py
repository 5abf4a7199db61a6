"""How common each word is in technical and in everyday text: the counts behind rarity.

    python -m training background --data ../shared/data

One pass over the licensed training sets (never over rows for non-commercial use, never over
saved pages); only document counts leave it. Two columns: documents of technical text with
this word, documents of everyday text with it. `core/judging/background.py` reads the files.
"""

from __future__ import annotations

import argparse
import gzip
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.article import Language
from core.chunks import blocks
from core.language import count_words, words
from training.lines import may_ship, rows

TECHNICAL = (
    "go_blog/train",
    "tech_specs/train",
    "scitldr/train",
    "cs_corpus/extra",
    "difficulty/train",
    "keywords/train",
    "prerequisites/train",
    "tutorial_descriptions/train",
    "react_ko/train",
)
EVERYDAY = {"en": ("onestopenglish/train",), "ko": ("nli_ko/train", "sts_ko/train")}
OUT = Path(__file__).parents[2] / "core" / "judging" / "data"


def texts(root: Path, names: Iterable[str], language: Language) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        for row in rows(root / f"{name}.jsonl.gz"):
            text = str(row.get("content") or row.get("premise") or row.get("sentence1"))
            if may_ship(row) and row.get("language", "en") == language and text not in seen:
                seen.add(text)
                yield " ".join(b.text for b in blocks(text) if b.kind != "code")


def grouped(single: Iterable[str], size: int = 40) -> Iterator[str]:
    """Single sentences put together to something of an article's length, so that counts compare."""
    group: list[str] = []
    for text in single:
        group.append(text)
        if len(group) == size:
            yield "\n".join(group)
            group = []
    if group:
        yield "\n".join(group)


def counts(documents: Iterable[str], language: Language) -> tuple[Counter[str], int]:
    found: Counter[str] = Counter()
    total = 0
    for document in documents:
        total += 1
        found.update(set(words(document[:60_000], language)))
    return found, total


def write(language: Language, root: Path) -> None:
    technical, many = counts(texts(root, TECHNICAL, language), language)
    plain = texts(root, EVERYDAY[language], language)
    everyday, few = counts(grouped(plain) if language == "ko" else plain, language)
    path = OUT / f"background_{language}.tsv.gz"
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        out.write(f"\t{many}\t{few}\n".encode())
        for word in sorted(technical | everyday):
            if technical[word] + everyday[word] >= 2 and count_words(word) == 1:
                out.write(f"{word}\t{technical[word]}\t{everyday[word]}\n".encode())


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training background", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    root = parser.parse_args(arguments).data
    OUT.mkdir(parents=True, exist_ok=True)
    languages: tuple[Language, ...] = ("en", "ko")
    for language in languages:
        write(language, root)


if __name__ == "__main__":
    main()
