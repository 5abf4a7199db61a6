"""The cross-encoder's three steps on a BERT of a few KB: pairs, scores of each variant, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import an_article
from support.tiny_encoder import tiny_encoder

from core.chunks import cut
from core.errors import SettingsError
from core.judging.evidence import Measuring
from training.faithfulness.cross import KINDS, read, train, variants
from training.faithfulness.cross_pairs import WORDS, wide


def settings(out: Path) -> dict[str, Any]:
    return {
        "out": str(out),
        "seed": 7,
        "seeds": [1, 2],
        "taught": 0.7,
        "pairs": 24,
        "held": 20,
        "kinds": {"reference": 1.0, "number": 1.0},
        "frozen_layers": 0,
        "embeddings": True,
        "epochs": 1,
        "batch": 8,
        "max_tokens": 32,
        "learning_rate": 0.001,
        "variants": {
            "whole": {},
            "lora": {"lora_rank": 2, "keep": True, "passage": "wide"},
        },
    }


def pair(place: int, kind: str) -> dict[str, Any]:
    true = kind == "reference"
    text = "pods sleep on nodes" if true else "cats sleep most"
    return {
        "article": f"a{place}",
        "kind": kind,
        "label": "entailment" if true else "contradiction",
        "premise": "the scheduler places pods",
        "wide": "the scheduler places pods on nodes. cats sleep",
        "hypothesis": text,
        "signs": 0.7 if true else 0.4,
    }


def test_scores_are_made_once_and_the_report_needs_no_encoder(tmp_path: Path) -> None:
    found = [pair(place, kind) for place in range(20) for kind in ("reference", "number")]
    judged = [
        {"kind": kind, "true": kind == "reference", "parts": [pair(0, kind), pair(1, kind)]}
        for kind in ("reference", *KINDS)
        for _ in range(3)
    ]
    own, folder = settings(tmp_path / "out"), str(tiny_encoder().source)
    with pytest.raises(SettingsError, match="no variant"):
        read(found, judged, own)
    train(found, judged, own, folder, ["lora"])
    scores = tmp_path / "out" / "scores_lora_1.json"
    made = json.loads(scores.read_text("utf-8"))
    assert len(made["given"]) == 12 + 30
    assert (tmp_path / "out" / "lora_2" / "adapter_model.safetensors").is_file()
    before = scores.stat().st_mtime_ns
    train(found, judged, {**own, "seeds": [1]}, folder)
    assert scores.stat().st_mtime_ns == before
    assert (tmp_path / "out" / "scores_whole_1.json").is_file()
    report = read(found, judged, {**own, "variants": {"lora": own["variants"]["lora"], "wide": {}}})
    assert list(report["variants"]) == ["lora"]
    told = report["variants"]["lora"]
    assert told["signs"]["kinds"]["number"]["auc"][0] == 1.0
    assert len(told["by_seed"]["negation"]) == 2
    assert [run["pairs"] for run in told["runs"]] == [24, 24]
    assert (tmp_path / "out" / "lora" / "curves_both.png").is_file()


def test_a_variant_is_the_settings_with_its_own_above_them(tmp_path: Path) -> None:
    made = variants(settings(tmp_path))
    assert made["whole"]["batch"] == made["lora"]["batch"] == 8
    assert "lora_rank" not in made["whole"]
    assert "seeds" not in made["lora"]
    plain = {k: v for k, v in settings(tmp_path).items() if k != "variants"}
    assert list(variants(plain)) == ["cross"]


def test_the_wide_passage_covers_the_claim_from_several_places_within_its_words() -> None:
    filler = "Nothing of it matters here at all. " * 3
    text = f"Pools keep connections open. {filler} A connection costs three round trips. {filler}"
    measured = Measuring(cut(an_article(content=text, language="en"), 330)).measure(
        "A connection costs three round trips and pools keep it open."
    )
    assert measured is not None
    found = wide(measured)
    assert found.index("Pools keep") < found.index("three round trips")
    assert found.count("three round trips") == 1
    assert len(found.split()) <= WORDS
