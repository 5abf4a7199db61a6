"""Keywords: what could be one, which are likely, and how many are worth showing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.builders import an_article

from core.chunks import Document, cut
from core.judging import candidates
from core.judging.candidates import NAMES, Tag, key_of, signs
from core.judging.keywords import Keyword, keywords, likely, ranked
from training.names.keywords import Learned, draw, vocabulary_of, without


def document(content: str, title: str | None = None) -> Document:
    return cut(an_article(content=content, title=title, language="en"), 330)


def test_no_keyword_is_there_twice_in_another_form() -> None:
    text = (
        "A web server answers. Web-servers answer many. The web servers of VMs and a VM answer. "
        * 4
    )
    found = [name.lower() for name in keywords(document(text, "Web servers and VMs"), 10)]
    assert sum("server" in name for name in found) == 1
    assert not {"vm", "vms"} <= set(found)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("We wrote it in Go and we like Go.", True),
        ("We go home and then we go out.", False),
        ("The C compiler is fast.", True),
        ("See section c of it.", False),
    ],
)
def test_names_that_are_words_too_count_in_their_own_spelling(text: str, named: bool) -> None:
    known = {key_of(name): Tag(name, 3) for name in ("Go", "C")}
    found = candidates.named(document(text), known)
    assert any(key in found for key in known) is named


def test_a_known_tag_is_found_whatever_its_ending_and_hyphen_free() -> None:
    known = {key_of("static analysis"): Tag("static analysis", 2)}
    found = candidates.named(document("It is about Static Analysis. Static analysis finds."), known)
    assert found[key_of("static analysis")].count == 2


def test_signs_are_a_row_for_each_candidate() -> None:
    article = document("Docker runs containers. Docker builds images.", "Docker images")
    found, weights = candidates.candidates(article, {})
    table = signs(article, found, weights, {})
    assert table.shape == (len(found), len(NAMES))
    assert np.isfinite(table).all()
    in_title = {key: row[NAMES.index("in_title")] for key, row in zip(found, table, strict=True)}
    assert in_title[key_of("Docker")] == 1.0


def test_an_article_without_a_word_has_no_keyword() -> None:
    assert keywords(document("1234 5678. 90."), 5) == ()


def test_a_list_is_cut_where_the_rest_is_unlikely() -> None:
    sure = [Keyword(str(number), 0.9) for number in range(4)]
    unlikely = [Keyword(f"x{number}", 0.01) for number in range(4)]
    assert likely([*sure, *unlikely]) == ("0", "1", "2", "3")
    assert len(likely(unlikely)) >= 3
    assert likely([]) == ()


def test_a_list_without_chances_stays_whole() -> None:
    article = cut(
        an_article(content="커넥션 풀은 연결을 열어 둡니다. 커넥션 풀은 빠릅니다.", language="ko"),
        330,
    )
    found = ranked(article, 8)
    assert found
    assert likely(found) == tuple(keyword.name for keyword in found)


def test_an_article_s_own_tags_are_not_known_while_it_is_learned_from() -> None:
    known = vocabulary_of([["Docker", "Go"], ["docker"]])
    left = without(known, ["Docker", "Go"])
    assert left == {key_of("docker"): Tag("Docker", 1)} or left[key_of("docker")].articles == 1
    assert key_of("Go") not in left


@pytest.mark.slow  # matplotlib
def test_the_ranker_s_names_are_drawn_beside_the_author_s_tags(tmp_path: Path) -> None:
    text = document("Go has modules. Modules have versions.")
    read = [Learned(text, "blog", (tag,), {}, {}) for tag in ("modules", "go")]
    said = {
        0: [Keyword("modules", 0.9), Keyword("versions", 0.1)],
        1: [Keyword("versions", 0.4), Keyword("Go", 0.3)],
    }
    draw(read, said, tmp_path, "folds")
    assert (tmp_path / "folds.png").stat().st_size > 1000
    assert (tmp_path / "folds_confusion.png").stat().st_size > 1000
