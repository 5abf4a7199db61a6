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


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    source = parser.parse_args().data / "glossary" / "cncf.jsonl.gz"
    with gzip.open(source, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    with OUT.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        for row in rows:
            kept = {key: row[key] for key in ("term", "language", "slug", "url")}
            kept["definition"] = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", row["definition"]).strip()
            out.write((json.dumps(kept, ensure_ascii=False) + "\n").encode())


if __name__ == "__main__":
    main()
