"""Difficulty by pairs of one site: what is drawn, what is lost, how an unseen site is read."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.tiny_encoder import tiny_encoder

from core.errors import SettingsError
from training.levels.ranking import Articles, articles, report, standard, train, variants, windows
from training.levels.ranking_model import drawing, learned, opened
from training.levels.unseen import ranked, spearman

pytestmark = pytest.mark.slow  # torch

EASY, HARD = "cats sleep most of the day", "the scheduler places pods on nodes"
SETTINGS: dict[str, Any] = {
    "max_tokens": 16,
    "windows": 1,
    "steps": 12,
    "articles": 8,
    "sites": 2,
    "lora_rank": 0,
    "frozen_layers": 1,
    "learning_rate": 0.003,
    "head_rate": 0.05,
    "axis": 1.0,
    "sharpness": 8.0,
    "ordinal": 0.3,
    "drawn_back": 0.001,
}


def of_sites(count: int = 3) -> Articles:
    sites = np.repeat([f"s{i}" for i in range(count)], 6)
    levels = np.tile([1.0, 1.0, 1.0, 5.0, 5.0, 5.0], count)
    classes = tuple("beginner" if level == 1 else "advanced" for level in levels)
    texts = tuple((EASY if level == 1 else HARD,) for level in levels)
    noise = np.random.default_rng(0).normal(size=len(levels))
    return Articles(texts, levels, sites, classes, {f"s{i}": noise for i in range(count)})


@pytest.fixture(scope="module")
def folder() -> str:
    return str(tiny_encoder().source)


def test_a_step_has_every_level_of_each_of_its_sites() -> None:
    levels = np.array([1.0] * 20 + [5.0] + [3.0, 4.0] * 5 + [2.0])
    sites = np.array(["long"] * 21 + ["short"] * 10 + ["of one level"])
    chosen = drawing(levels, sites, 8, 4, random.Random(1))()  # noqa: S311
    assert len(chosen) == 8
    assert sorted(set(sites[chosen])) == ["long", "short"]
    assert sorted(levels[chosen]) == [1.0, 1.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]


@pytest.mark.parametrize("rank", [0, 2])
def test_the_harder_text_is_put_above_and_the_encoder_stays_as_it_came(
    folder: str, rank: int
) -> None:
    found, scale = of_sites(2), opened(folder, 16)
    before = {name: weight.clone() for name, weight in scale.model.state_dict().items()}
    own = {**SETTINGS, "lora_rank": rank}
    model = learned(scale, found.windows, found.levels, found.sites, own, seed=1)
    easy, hard = model.read([[EASY], [HARD, EASY]], 1)
    assert hard > easy
    mean = model.read([[HARD, EASY]], 2)[0]
    assert mean == pytest.approx((easy + hard) / 2, abs=1e-4)
    assert all((scale.model.state_dict()[name] == weight).all() for name, weight in before.items())


def test_each_site_is_read_by_what_the_others_taught(folder: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "out": str(tmp_path),
        "seeds": [1],
        "common": SETTINGS,
        "variants": {"top": None, "later": {"steps": 5, "before": "stories", "pretraining": {}}},
    }
    (tmp_path / "manuals.jsonl").write_text(
        f'{{"site": "story a", "level": 1.0, "windows": ["{EASY}"]}}\n'
        f'{{"site": "story a", "level": 5.0, "windows": ["{HARD}"]}}\n',
        encoding="utf-8",
    )
    found = of_sites()
    train(found, settings, folder, ["top"])
    made = report(found, settings)
    assert made["top"]["ways"]["alone"]["mean_spearman"] == pytest.approx(1.0)
    assert made["top"]["ways"]["and service"]["mean_spearman"] > (
        made["service"]["mean_spearman"] + 0.2
    )
    assert "later" not in made
    train(found, settings, folder, None)
    assert set(report(found, settings)) >= {"top", "later"}
    assert variants(settings)["later"]["steps"] == 5


def test_scores_are_in_widths_of_the_sites_that_taught() -> None:
    found = of_sites(2)
    values = np.r_[np.full(6, 100.0), np.array([1.0, 1.0, 1.0, 3.0, 3.0, 3.0])]
    assert standard(found, "s0", values)[6:].tolist() == pytest.approx([-1, -1, -1, 1, 1, 1])
    assert standard(found, "s0", values)[0] == pytest.approx(98.0)


def test_ranks_are_of_each_site_alone() -> None:
    made = ranked(
        np.array([1.0, 2, 3, 30, 20, 10, 7, 7]),
        np.array([1.0, 2, 3, 1, 2, 3, 1, 5]),
        np.array(["up"] * 3 + ["down"] * 3 + ["same"] * 2),
    )
    assert made["spearman"] == pytest.approx({"up": 1.0, "down": -1.0, "same": 0.0})
    assert made["mean_spearman"] == pytest.approx(0.0)


def test_equal_values_share_their_ranks() -> None:
    from scipy.stats import spearmanr

    levels = np.array([1.0, 1, 3, 3, 3, 5, 2])
    scores = np.array([0.1, 0.4, 0.4, 0.2, 0.9, 0.9, 0.9])
    assert spearman(scores, levels) == pytest.approx(spearmanr(scores, levels).statistic)
    assert np.isnan(spearman(np.ones(3), levels[:3]))


def test_windows_begin_with_title_and_headings_and_cover_the_end() -> None:
    text = "# Setup\n\n" + "Pods run on nodes every day. " * 200 + "\n\nThe very end is here now."
    found = windows("A title", text)
    assert found[0].startswith("A title. Setup. Pods run")
    assert len(found) == 4
    assert windows("Short", "One sentence only.") == ["Short. . One sentence only."]


def test_articles_have_to_be_prepared(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--prepare"):
        articles(tmp_path / "articles.jsonl")
