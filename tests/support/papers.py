"""A data folder of small papers, for the steps of training that need one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from training.sets.examples import SETS

TOPICS = "queue stack cache index broker router parser kernel mutex socket buffer thread".split()


def article(number: int) -> dict[str, Any]:
    name = TOPICS[number % len(TOPICS)]
    return {
        "id": f"t/{number}",
        "title": f"The {name} number {number}",
        "language": "en",
        "source": "test",
        "license": "MIT",
        "content": f"In this paper we propose a {name} number {number}. It keeps things in order. "
        f"Other work has no {name}. The results of our {name} improve on {number} others. "
        "We describe what it does and how it is built from parts that are known.",
        "summary": f"We propose a {name} number {number} that keeps things in order",
    }


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# Two changes of a tiny model.
M2: dict[str, Any] = {
    "data": ["summary.train"],
    "max_steps": 2,
    "batch_size": 4,
    "max_length": 1024,
    "learning_rate": 0.01,
    "lora": {"rank": 2, "alpha": 4, "layers": 1},
}


def papers(root: Path) -> Path:
    """Thirty that teach, five held out, and twelve with a level."""
    for name in SETS:
        write(root / f"{name}.jsonl.gz", [])
    write(root / "scitldr/train.jsonl.gz", [article(n) for n in range(30)])
    write(root / "scitldr/dev.jsonl.gz", [article(n) for n in range(100, 105)])
    write(root / "difficulty/train.jsonl.gz", [article(n) | {"level": 3} for n in range(200, 212)])
    return root
