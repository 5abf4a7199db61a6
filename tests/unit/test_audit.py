"""Suspicious labels: planted ones are found, decisions are applied with their provenance."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from training import audit

EASY = "The cat sat on the mat and the dog ran to the park with a ball of red wool today."
HARD = "Notwithstanding macroeconomic volatility, institutional investors diversified considerably."


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "onestopenglish"
    folder.mkdir()
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        for place in range(60):
            hard = place % 2
            row = {
                "id": f"r{place}",
                "language": "en",
                "title": f"Story {place}",
                "content": f"{HARD if hard else EASY} Number {place}.",
                "level_label": "advanced" if hard else "beginner",
                "text_id": f"t{place}",
                "source": "test",
            }
            file.write(json.dumps(row) + "\n")
    return tmp_path


def test_planted_labels_are_found_first(root: Path) -> None:
    found, labels, _ = audit.read("onestopenglish", root)
    wrong, chosen = audit.planted(labels, 0.1, seed=1)
    texts = [row["content"] for row in found]
    given = audit.unseen_probabilities(texts, wrong, [row["id"] for row in found], ["x"] * 60)
    listed = audit.suspicious(wrong, given)
    assert set(listed[: len(chosen)]) == chosen


def test_a_planted_label_is_always_another() -> None:
    labels = np.array([0, 1, 2] * 10)
    wrong, chosen = audit.planted(labels, 0.2, seed=0)
    assert len(chosen) == 6
    assert {int(row) for row in np.flatnonzero(wrong != labels)} == chosen


def test_decisions_make_a_corrected_set_that_says_what_was_done(root: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "decided.csv"
    made = {"r0": "fix", "r1": "drop", "r2": "soften", "r3": "keep"}
    with decisions.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, audit.COLUMNS, restval="")
        writer.writeheader()
        for name, choice in made.items():
            row = {"id": name, "decision": choice, "suggested": "advanced", "confidence": 0.8}
            writer.writerow(row)
    counts = audit.apply("onestopenglish", decisions, root, tmp_path)
    assert counts == {"keep": 1, "fix": 1, "soften": 1, "drop": 1}
    with gzip.open(tmp_path / "onestopenglish.corrected.jsonl.gz", "rt", encoding="utf-8") as file:
        written = {row["id"]: row for row in map(json.loads, file)}
    assert len(written) == 59
    assert written["r0"]["level_label"] == "advanced"
    assert written["r0"]["audit"]["before"] == "beginner"
    assert written["r2"]["soft_label"] == {"beginner": 0.2, "advanced": 0.8}
    assert "audit" not in written["r3"]


def test_a_decision_that_is_none_is_refused(root: Path, tmp_path: Path) -> None:
    decisions = tmp_path / "decided.csv"
    decisions.write_text("id,decision\nr0,perhaps\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="perhaps"):
        audit.apply("onestopenglish", decisions, root, tmp_path)


def test_the_page_holds_no_markup_of_the_articles() -> None:
    row = {
        "id": "a",
        "label": "x",
        "suggested": "y",
        "confidence": 0.5,
        "quality": 0.1,
        "decision": "",
        "title": "<script>alert(1)</script>",
        "text": "</script><b>",
    }
    made = audit.page("set", [row])
    assert "<script>alert" not in made
    assert made.count("</script>") == 1
