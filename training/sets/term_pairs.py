"""Collects Korean technical terms with their English originals, for core/retrieval/bridge.py.

    python -m training term-pairs --data ../shared/data

Korean documentation writes a term's original behind it: "동시성 렌더러(Concurrent Renderer)", or in
the React documentation small and without brackets: "동시성 렌더러Concurrent Renderer". Sources:
React's Korean documentation (CC-BY-4.0; the training part and the pages without an Intro) and the
names of the bundled CNCF glossary (CC-BY-4.0). Only names are taken, no sentence.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
OUT = ROOT / "core" / "retrieval" / "data" / "term_pairs.tsv.gz"
GLOSSARY = ROOT / "core" / "judging" / "data" / "glossary.jsonl.gz"

_BEHIND = re.compile(
    r"((?:[가-힣]+ ){0,3}[가-힣]{2,})(?:\(([A-Za-z][A-Za-z -]{2,40})\)|([A-Z][a-z]{2,}(?:[ -][A-Za-z][a-z]{2,}){0,3}))"
    r"(?![A-Za-z0-9.])"
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training term-pairs", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args(arguments).data
    counted: Counter[tuple[str, str]] = Counter()
    for text in _texts(data):
        counted.update(pairs_in(text))
    pairs = {*_chosen(counted), *_glossary()}
    with OUT.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        out.writelines(f"{korean}\t{english}\n".encode() for korean, english in sorted(pairs))


def _texts(data: Path) -> Iterator[str]:
    for name in ("react_ko/train.jsonl.gz", "cs_corpus/extra.jsonl.gz"):
        with gzip.open(data / name, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row.get("language") == "ko" and row.get("license") == "CC-BY-4.0":
                    yield row.get("content") or row.get("text") or ""


def pairs_in(text: str) -> Iterator[tuple[str, str]]:
    """As many Korean words as English ones: those that stand right before them."""
    for match in _BEHIND.finditer(text):
        english = (match.group(2) or match.group(3)).strip().lower()
        korean = match.group(1).split()
        size = len(re.split(r"[ -]", english))
        yield " ".join(korean[-size:]), english


def _chosen(counted: Counter[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """For one English term the most frequent Korean one, and others that came at least twice."""
    best: dict[str, tuple[int, str]] = {}
    for (korean, english), count in sorted(counted.items()):
        best[english] = max(best.get(english, (0, "")), (count, korean))
    for (korean, english), count in counted.items():
        if count > 1 or best[english][1] == korean:
            yield korean, english


def _glossary() -> Iterator[tuple[str, str]]:
    """Entries are paired by their slug; "서비스 메시 (Service Mesh)" has its pair in its name."""
    names: dict[str, dict[str, str]] = {}
    with gzip.open(GLOSSARY, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            names.setdefault(row["slug"], {})[row["language"]] = row["term"]
    for both in names.values():
        if len(both) == 2:
            english = re.sub(r"\s*\(.*\)", "", both["en"]).lower()
            for korean in re.split(r"\s*\(([^)]*)\)\s*", both["ko"]):
                if re.search(r"[가-힣]", korean):
                    yield korean.strip(), english


if __name__ == "__main__":
    main()
