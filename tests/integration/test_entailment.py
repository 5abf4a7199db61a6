"""Two ways to show a sentence pair, trained for real on a BERT of a few KB."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.tiny_encoder import tiny_encoder

from core.errors import SettingsError
from training.faithfulness.classifier import fit, predict
from training.faithfulness.entailment import (
    LABELS,
    Pair,
    Remembered,
    compare,
    encode,
    evened,
    read_pairs,
    short,
    split,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pairs") / "nli.jsonl"
    rows = [
        {"premise": f"the scheduler {i} places pods", "hypothesis": text, "label": label}
        for i in range(20)
        for text, label in zip(("pods on nodes", "cats sleep", "not pods"), LABELS, strict=True)
    ]
    rows.append({"sentence1": "the queue", "sentence2": "a queue", "gold_label": "entailment"})
    rows.append({"premise": "x", "hypothesis": "y", "label": "-"})
    place.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return place


def test_both_namings_are_read_and_rows_without_a_label_left_out(
    file: Path, tmp_path: Path
) -> None:
    found = read_pairs(file)
    assert len(found) == 61
    assert found[-1] == Pair("the queue", "a queue", 0)
    empty = tmp_path / "empty.jsonl"
    empty.write_text('{"label": "-"}', encoding="utf-8")
    with pytest.raises(SettingsError, match="no row"):
        read_pairs(empty)


def test_no_premise_is_trained_on_and_tested(file: Path) -> None:
    train, test = split(read_pairs(file), 100, 18, seed=1)
    assert len(test) == 18
    assert not {one[0] for one in train} & {one[0] for one in test}


def test_no_article_is_trained_on_and_tested_where_rows_name_it(tmp_path: Path) -> None:
    file = tmp_path / "nli.jsonl"
    rows = [
        {"premise": f"p{i}", "hypothesis": "h", "label": LABELS[i % 3], "article": f"a{i % 10}"}
        for i in range(60)
    ]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train, test = split(read_pairs(file), 100, 15, seed=1)
    assert not {one.article for one in train} & {one.article for one in test}
    assert len({one.article for one in train}) == 7


def test_pairs_that_would_be_cut_are_left_out(file: Path, tmp_path: Path) -> None:
    tokenizer = tiny_encoder().tokenizer
    tokenizer.save_pretrained(tmp_path)
    found = [*read_pairs(file), Pair("one two three " * 9, "four", 1)]
    assert short(found, str(tmp_path), 32) == found[:-1]
    lengths = [len(tokenizer(one, two)["input_ids"]) for one, two, *_ in found]
    assert len(short(found, str(tmp_path), max(lengths))) == len(found)
    with pytest.raises(SettingsError, match="at most 3 tokens"):
        short(found, str(tmp_path), 3)


def test_segments_differ_only_where_there_are_two() -> None:
    tokenizer = tiny_encoder().tokenizer
    pair = [Pair("cats sleep", "the queue", 1)]
    two, one = (encode(tokenizer, pair, way, 32)[0] for way in ("two segments", "one text"))
    separator = tokenizer.sep_token_id
    assert set(two["token_type_ids"]) == {0, 1}
    assert set(one["token_type_ids"]) == {0}
    assert (two["input_ids"].count(separator), one["input_ids"].count(separator)) == (2, 1)


SETTINGS: dict[str, Any] = {
    "seeds": [1, 2],
    "train": 24,
    "test": 9,
    "epochs": 1,
    "batch": 8,
    "max_tokens": 32,
    "even": True,
    "learning_rate": 0.001,
    "frozen_layers": 1,
}


@pytest.fixture(scope="module")
def compared(
    file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], tuple[int, int]]:
    """Folder and report of both seeds, trained one after the other, and when a file of the first
    was written: when it was trained, and at the end."""
    out, folder = tmp_path_factory.mktemp("compared"), str(tiny_encoder().source)
    with pytest.raises(SettingsError, match="no table"):
        compare(file, SETTINGS, out, folder, [])
    alone = compare(file, SETTINGS, out, folder, [2])
    assert [run["seed"] for run in alone["runs"]["one text"]] == [2]
    kept = out / "nli_runs" / "two_segments_2.json"
    before = kept.stat().st_mtime_ns
    made = compare(file, SETTINGS, out, folder)
    return out, made, (before, kept.stat().st_mtime_ns)


def test_each_way_and_seed_gives_a_row_of_the_table(
    compared: tuple[Path, dict[str, Any], tuple[int, int]],
) -> None:
    out, made, _ = compared
    assert list(made["table"]) == ["majority", "hypothesis alone", "two segments", "one text"]
    assert all(sum(map(sum, one["confusion"])) == 18 for one in made["table"].values())
    assert all(
        low <= one["accuracy"] <= high
        for one in made["table"].values()
        for low, high in [one["accuracy_interval"]]
    )
    assert [run["trained on"] for run in made["runs"]["two segments"]] == [24, 24]
    assert json.loads((out / "nli_comparison.json").read_text())["file"] == "nli.jsonl"
    assert {path.name for path in out.glob("*.png")} == {
        "nli_two.png",
        "nli_one.png",
        "nli_entailment_curves.png",
    }


def test_a_remembered_run_is_not_trained_again_and_seeds_can_be_shared(
    compared: tuple[Path, dict[str, Any], tuple[int, int]],
) -> None:
    out, made, (before, after) = compared
    assert [run["seed"] for run in made["runs"]["two segments"]] == [1, 2]
    assert after == before
    key = json.loads((out / "nli_runs" / "two_segments_2.json").read_text("utf-8"))["key"]
    assert Remembered(out / "nli_runs", key).has("two segments", 2)
    assert not Remembered(out / "nli_runs", {**key, "epochs": 2}).has("two segments", 2)


def test_as_many_of_each_label_are_taken(file: Path) -> None:
    found = read_pairs(file)
    made = evened([*found, *(Pair("x", str(i), 1) for i in range(30))], seed=1)
    assert [sum(pair.label == label for pair in made) for label in range(3)] == [20, 20, 20]
    assert len(set(made)) == 60


def test_small_matrices_learn_and_nothing_else(file: Path) -> None:
    settings: dict[str, Any] = {"epochs": 1, "batch": 8, "learning_rate": 0.001, "lora_rank": 2}
    found = read_pairs(file)[:24]
    model, tokenizer = fit(
        str(tiny_encoder().source),
        lambda t: encode(t, found, "two segments", 32),
        len(LABELS),
        1,
        settings,
    )
    learns = {name for name, weight in model.named_parameters() if weight.requires_grad}
    assert learns
    assert all("lora_" in name or "classifier" in name for name in learns)
    given = predict(model, tokenizer, encode(tokenizer, found, "two segments", 32))
    assert given.shape == (24, 3)
    np.testing.assert_allclose(given.sum(axis=1), 1.0, rtol=1e-5)
