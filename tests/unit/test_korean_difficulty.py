"""The Korean difficulty judge: what is learned from pages in both languages, and how it is read."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import an_article

from core.chunks import cut
from core.judging import difficulty, meaning
from training.levels.korean import Unit, apart, fit, translations, unseen

SETTINGS: dict[str, Any] = {"ridge": 100.0, "section": 0.3, "least": 0.1}
MADE = meaning.Glossed(
    encoder="all-MiniLM-L6-v2",
    title=np.array([1.0, 0.0], dtype=np.float32),
    mean=np.array([0.0, 2.0], dtype=np.float32),
    opening=np.array([0.5, 0.0], dtype=np.float32),
    constant=0.25,
    terms=(0.5, 1.0),
)


def unit(site: str, place: int, chance: np.random.Generator) -> Unit:
    """Its original is a little harder than the head makes of the gloss."""
    head = meaning.head()
    views = chance.normal(size=(3, len(head.title)))
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    views += 0.08 * chance.normal() * np.array([head.title, head.mean, head.opening])
    said = float((views * np.array([head.title, head.mean, head.opening])).sum())
    signs = {"terms": float(chance.normal(2.5, 0.3)), "background": 1.0, "algorithms": 0.2}
    original = {**signs, "terms": signs["terms"] + 0.5, "concepts": 0.8 * said + 1.0}
    return Unit(
        site=site,
        key=f"{site}/{place}",
        whole=True,
        views=views.ravel(),
        concept=original["concepts"],
        terms=original["terms"],
        level=round(min(5.0, max(1.0, difficulty.from_signs(original))), 1),
        signs=signs,
        before=3.0,
    )


def pages() -> list[Unit]:
    chance = np.random.default_rng(1)
    return [unit(site, place, chance) for site in ("one", "two", "three") for place in range(30)]


def test_what_a_gloss_says_is_set_right_and_tells_pages_of_a_site_never_seen() -> None:
    found = pages()
    made = fit(found, SETTINGS)
    told = [made.said(*one.views.reshape(3, -1)) for one in found]
    assert np.corrcoef(told, [one.concept for one in found])[0, 1] > 0.98
    assert made.wording(2.5) == pytest.approx(3.0, abs=0.01)
    for one in unseen(found, SETTINGS).values():
        assert one["gloss"]["within_half"] > 0.8
        assert one["gloss"]["mean_apart"] < one["always the middle"]["mean_apart"]
        low, high = one["gloss"]["within_half_interval"]
        assert low <= one["gloss"]["within_half"] <= high


def test_what_tests_a_site_never_teaches_it() -> None:
    found = pages()
    lies = [replace(one, site="glossary", concept=-50.0, terms=0.0) for one in found[:20]]
    assert unseen([*found, *lies], SETTINGS)["one"] == unseen(found, SETTINGS)["one"]


def test_a_section_counts_less_than_a_page() -> None:
    found = pages()
    wrong = [replace(one, whole=False, concept=one.concept + 4.0) for one in found]
    both = fit([*found, *wrong], SETTINGS)
    shift = np.mean([both.said(*one.views.reshape(3, -1)) - one.concept for one in found])
    assert shift == pytest.approx(4.0 * 0.3 / 1.3, abs=0.15)


def test_how_far_translations_are_apart_is_told_beside_what_was_before() -> None:
    found = [replace(one, level=2.0) for one in pages()[:4]]
    report = apart(found, [2.0, 2.5, 2.6, 4.0])
    assert report["gloss"]["within_half"] == 0.5
    assert report["gloss"]["within_one"] == 0.75
    assert report["gloss"]["mean_apart"] == pytest.approx(3.1 / 4)
    assert report["words alone"]["levels"] == [3.0] * 4


def test_what_is_written_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "difficulty_ko.json"
    path.write_text(json.dumps(MADE.numbers()), encoding="utf-8")
    monkeypatch.setattr(meaning, "files", lambda _: tmp_path)
    again = meaning.glossed.__wrapped__()
    assert again.numbers() == MADE.numbers()
    assert again.wording(4.0) == 3.0


def test_without_a_gloss_of_the_title_the_whole_text_stands_for_it() -> None:
    sentences = np.array([[1.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    assert MADE.concept(np.zeros(2, dtype=np.float32), sentences) == pytest.approx(1.75)
    assert MADE.concept(np.array([0.0, 1.0], dtype=np.float32), sentences) == pytest.approx(0.75)


def test_a_harder_gloss_makes_a_korean_article_harder_and_names_its_words() -> None:
    text = " ".join(f"컴파일러 최적화 {n}번은 레지스터를 할당한다." for n in range(6))
    made = cut(an_article(title="컴파일러", content=text, language="ko"), 330)
    towards = meaning.glossed().mean / np.linalg.norm(meaning.glossed().mean)
    levels = []
    for far in (-0.6, 0.0, 0.6):
        rows = np.tile(far * towards, (len(made.sentences) + 1, 1)).astype(np.float32)
        levels.append(difficulty.judge(made, rows).level.score)
    assert levels == sorted(levels)
    assert levels[-1] > levels[0]
    rows = np.tile(towards, (len(made.sentences) + 1, 1)).astype(np.float32)
    words = {one.name: one.words for one in difficulty.judge(made, rows).factors}
    assert words["concepts"]


def test_translations_of_the_shared_sets_are_pairs(tmp_path: Path) -> None:
    def write(name: str, rows: list[dict[str, Any]]) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(body.encode()))

    article = {"title": "t", "content": "c"}
    write(
        "difficulty/train.jsonl.gz",
        [{"id": f"x/{code}/trees", "language": code, **article} for code in ("en", "ko")]
        + [{"id": "x/en/queues", "language": "en", **article}],
    )
    write("difficulty/valid.jsonl.gz", [])
    write(
        "glossary/cncf.jsonl.gz",
        [{"slug": "pod", "language": code, "term": "Pod", "full": "f"} for code in ("ko", "en")],
    )
    assert [(one["site"], one["key"]) for one in translations(tmp_path)] == [
        ("difficulty", "x/trees"),
        ("glossary", "pod"),
    ]
