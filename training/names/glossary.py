"""Bundles the CNCF Cloud Native Glossary (CC-BY-4.0, English and Korean) for the service.

    python -m training glossary --data ../shared/data

FOLDOC lies in the same folder but is under the GFDL: it stays out of the product.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from pathlib import Path

OUT = Path(__file__).parents[2] / "core" / "judging" / "data" / "glossary.jsonl.gz"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training glossary", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    source = parser.parse_args(arguments).data / "glossary" / "cncf.jsonl.gz"
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with OUT.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        for row in rows:
            kept = {key: row[key] for key in ("term", "language", "slug", "url")}
            kept["definition"] = _plain(row["definition"])
            out.write((json.dumps(kept, ensure_ascii=False) + "\n").encode())


def _plain(text: str) -> str:
    """Links and emphasis as their words: "state*less*" is read in a chat."""
    unlinked = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(\*{1,2}|\b_)(\S(?:[^*_]*\S)?)\1", r"\2", unlinked).strip()


if __name__ == "__main__":
    main()
