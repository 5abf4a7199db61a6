"""What the difficulty judge learns of texts whose level is known: words, meaning, and their mixture."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.builders import an_article

from core.chunks import Document, cut
from core.errors import SettingsError
from core.judging import wording
from core.judging.wording import Wording
from training.levels import readings
from training.levels.tables import Table
from training.lines import leave

SETTINGS: dict[str, Any] = {
    "labels": {"ridge": 10.0, "background": 1.0, "algorithms": 0.6, "share": 0.1},
    "readings": {
        "ridge": 1.0,
        "signs": 0.2,
        "axis": 3.0,
        "words": 0.5,
        "vocabulary": 50,
        "sites": 2,
        "word_ridge": 0.1,
    },
    "stretch": 1.0,
}
EASY, HARD = "welcome our new sponsor", "the compiler lowers its intermediate representation"


def table(count: int, seed: int, sites: tuple[str, ...] = ("a/x", "b/y", "d/w", "c/z")) -> Table:
    """Levels that the words and a direction tell, each half."""
    chance = np.random.default_rng(seed)
    hard = chance.uniform(0, 1, count)
    vectors = chance.normal(scale=0.1, size=(3, count, 384))
    vectors[:, :, 0] += hard
    texts = tuple(f"{HARD if h > 0.5 else EASY} and more" for h in hard)
    levels = 1.0 + 4.0 * hard
    classes = np.array(["beginner" if x <= 2.5 else "advanced" for x in levels])
    where = np.array([sites[i % len(sites)] for i in range(count)])
    signs = chance.uniform(0, 1, size=(count, 2))
    title, mean, opening = vectors
    return Table(title, mean, opening, signs, levels, classes, where, texts)


def directions() -> Any:
    axes = np.zeros((2, 384))
    axes[:, 0] = 1.0
    return axes


def test_levels_of_sites_that_taught_nothing_are_told() -> None:
    told = table(240, 1)
    held = told.sites == "c/z"
    ways = readings.ways(table(60, 2), directions(), SETTINGS)
    ours = readings.unseen(told, held, ways["ours"])
    for part in ("teach", "held out"):
        assert ours[part]["apart"] < 0.5
        assert ours[part]["spearman_all"] > 0.85
    assert readings.unseen(told, held, ways["always the middle"])["held out"]["apart"] > 0.9
    assert ours["held out"]["texts"] == int(held.sum())


def test_no_sign_that_is_there_makes_a_text_easier() -> None:
    told = table(120, 3)
    told.signs[:, 1] = 5.0 - told.levels  # code only where texts are easy
    fitted = readings.joined(table(60, 4), told, directions(), SETTINGS)
    assert fitted.weights["algorithms"] >= 0.0
    assert set(fitted.weights) == {"terms", "concepts", "background", "algorithms"}


def test_texts_of_the_same_owner_do_not_teach_what_is_said_of_a_site() -> None:
    told = table(9, 5, sites=("arm install guides", "dockerlabs", "v8/v8.dev"))
    assert set(readings.without(told, "arm-learning-paths").sites) == {"dockerlabs", "v8/v8.dev"}
    assert len(readings.without(told, "sap-tutorials").sites) == 9


def test_words_that_one_site_alone_uses_are_left_out() -> None:
    told = table(30, 6)
    sponsored = tuple(
        f"{text} prometheus" if site == "a/x" else text
        for text, site in zip(told.texts, told.sites, strict=True)
    )
    told = replace(told, texts=sponsored)
    words = readings.wording(told, SETTINGS["readings"])
    assert "prometheus" not in words.idf
    assert words.score(HARD) > 0.5 > -0.5 > words.score(EASY)


def test_a_line_that_is_no_level_is_named(tmp_path: Path) -> None:
    path = tmp_path / "levels.tsv"
    path.write_text("# a comment\na/b:c.md\t2.5\n\na/b:d.md\teasy\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"levels.tsv:4: expected an id, a tab and a level"):
        readings.levels(path)
    path.write_text("a/b:c.md\t2.5\n", encoding="utf-8")
    assert readings.levels(path) == {"a/b:c.md": 2.5}


def test_the_shipped_levels_can_all_be_read() -> None:
    found = readings.levels()
    assert len(found) > 1400
    assert {1.0, 5.0} <= set(found.values())


def test_rows_are_found_by_their_ids_and_by_their_set(tmp_path: Path) -> None:
    row = {"language": "en", "title": None, "content": "c", "source": "s", "license": "MIT"}
    leave([{**row, "id": "a/b:c.md"}, {**row, "id": "unknown"}], tmp_path / "posts.jsonl")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.jsonl.gz").write_bytes(
        gzip.compress(b'{"id": "7", "content": "d", "language": "en", "source": "t"}\n')
    )
    known = {"a/b:c.md": 2.5, "set/train:7": 4.0}
    found = readings.texts(known, tmp_path, [tmp_path / "posts.jsonl"], ["set/train"])
    assert [(one["id"], one["level"], one["level_label"], one["title"]) for one in found] == [
        ("a/b:c.md", 2.5, "beginner", ""),
        ("set/train:7", 4.0, "advanced", ""),
    ]


def test_a_file_of_posts_that_is_not_there_is_named_with_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"posts.jsonl: .*python -m training posts --clone"):
        readings.texts({"a": 1.0}, tmp_path, [tmp_path / "posts.jsonl"])


def document(content: str, language: Any = "en") -> Document:
    return cut(an_article(title="Notes", content=content, language=language), 330)


def test_a_sponsor_s_welcome_is_easier_worded_than_a_compiler() -> None:
    easy = document("We are happy to welcome our new sponsor. Thank you for your support. " * 4)
    hard = document("The optimizing compiler lowers bytecode to registers and inlines calls. " * 4)
    assert wording.score(hard) > wording.score(easy) + 0.5


def test_a_korean_text_is_worded_by_its_gloss() -> None:
    known = {"컴파일러": "compiler", "커널": "kernel", "환영": "welcome", "후원": "sponsor"}
    hard = document("컴파일러와 커널을 설명한다. " * 6, "ko")
    easy = document("후원을 환영한다. " * 6, "ko")
    assert "compiler kernel" in wording.text_of(hard, known)
    assert wording.score(hard, known) > wording.score(easy, known)


def test_code_counts_and_no_word_is_no_error() -> None:
    assert "malloc" in wording.text_of(document("Some words here.\n\n```c\nmalloc(4);\n```\n"))
    assert Wording({}, {}).score("anything at all") == 0.0


def test_what_is_kept_is_the_same_for_the_same_words(tmp_path: Path) -> None:
    Wording({"b": 2.0, "a": 1.0}, {"a": 0.5, "b": -0.25}).keep(tmp_path / "one.gz")
    Wording({"a": 1.0, "b": 2.0}, {"b": -0.25, "a": 0.5}).keep(tmp_path / "two.gz")
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    text = gzip.decompress((tmp_path / "one.gz").read_bytes()).decode()
    assert text == "a\t1.000\t0.500\nb\t2.000\t-0.250\n"
