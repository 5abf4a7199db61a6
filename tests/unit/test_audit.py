"""Suspicious labels: planted ones are found, decisions are applied with their provenance."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from core.errors import SettingsError
from training.levels import audit

pytestmark = pytest.mark.slow  # scikit-learn, matplotlib

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
                "level": 4 if hard else 2,
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


def test_a_planted_label_is_doubted_more_and_the_curves_are_drawn(
    root: Path, tmp_path: Path
) -> None:
    made = audit.demonstrate("onestopenglish", root, tmp_path, seeds=(1,))
    assert made["precision@k"] == 1.0
    low, high = made["precision@k interval"]
    assert low <= 1.0 <= high
    assert (tmp_path / "onestopenglish_curves.png").stat().st_size > 1000
    given = np.array([[0.9, 0.1], [0.2, 0.8]])
    np.testing.assert_allclose(audit.doubt(np.array([0, 0]), given), [-0.8, 0.6])


def test_what_was_found_decided_and_applied_is_the_corrected_set(
    root: Path, tmp_path: Path
) -> None:
    """The whole way: a wrong label is found, the CSV decides, the corrected set has the right one."""
    path = root / "onestopenglish" / "train.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        kept = [json.loads(line) for line in file]
    kept[3] |= {"level_label": "beginner", "level": 2}
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in kept)
    listed = audit.find("onestopenglish", root, tmp_path)
    assert [(row["id"], row["suggested"]) for row in listed] == [("r3", "advanced")]
    assert "r3" in (tmp_path / "onestopenglish.html").read_text("utf-8")
    decisions = tmp_path / "onestopenglish.csv"
    with decisions.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["decision"] = "fix"
    with decisions.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, audit.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    assert audit.apply("onestopenglish", decisions, root, tmp_path)["fix"] == 1
    with gzip.open(tmp_path / "onestopenglish.corrected.jsonl.gz", "rt", encoding="utf-8") as file:
        corrected = {row["id"]: row for row in map(json.loads, file)}
    assert (corrected["r3"]["level_label"], corrected["r3"]["level"]) == ("advanced", 4)
    assert corrected["r3"]["audit"]["decisions"] == "onestopenglish.csv"
    assert [name for name, row in corrected.items() if "audit" in row] == ["r3"]


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
