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
from core.judging.korean import noun_runs
from core.judging.korean_names import mended, same_thing
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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("It is written in C and C++.", True),
        ("The function has a type parameter C, and C must be comparable.", False),
        ("```c\nint x;\n```\n\nC is old.", True),
    ],
)
def test_a_letter_is_a_language_where_it_is_spoken_of_as_one(text: str, named: bool) -> None:
    found = candidates.named(document(text), {key_of("C"): Tag("C", 6)})
    assert (key_of("C") in found) is named


def test_what_readers_click_on_is_no_keyword() -> None:
    text = "Choose the subaccount, choose the role, choose a name. The subaccount has a role. " * 3
    assert "choose" not in [name.lower() for name in keywords(document(text), 10)]


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


def korean(content: str, title: str | None = None, count: int = 8) -> tuple[str, ...]:
    return keywords(cut(an_article(content=content, title=title, language="ko"), 330), count)


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("미사용 코드와 가용성", [["미사용", "코드"], ["가용성"]]),
        ("FP8 정밀도와 CI/CD를", [["FP8", "정밀도"], ["CI/CD"]]),
        ("prop. 값", [["prop"], ["값"]]),
        ("동시성 렌더링Concurrent Rendering", [["동시성", "렌더링"], ["Concurrent", "Rendering"]]),
        ("고성능 백엔드", [["고성능", "백엔드"]]),
        ("트랜잭션이 롤백된다", [["트랜잭션"]]),
        ("Github Actions로", [["Github", "Actions"]]),
    ],
)
def test_korean_nouns_are_whole_and_verbs_are_none(text: str, runs: list[list[str]]) -> None:
    assert list(noun_runs(text)) == runs


def test_a_title_that_is_a_name_comes_whole_and_not_in_pieces() -> None:
    text = (
        "조건부 렌더링은 쉽다. 렌더링은 React가 맡는다. 렌더링 결과는 JSX다. React와 JSX를 쓴다. "
    )
    found = korean(text * 3, "조건부 렌더링")
    assert "조건부 렌더링" in found
    assert not {"조건부", "렌더링"} & set(found)
    assert "React" in found


def test_english_quotations_and_code_give_no_korean_keywords() -> None:
    text = (
        "React는 state를 큐에 넣는다. `setNumber`를 부르면 React는 큐를 비운다. React와 큐를 보자.\n\n"
        "Unused chemist warnings are expensive: each chemist gets a unique warning.\n\n"
        "```js\nsetNumber(n => n + 1)\n```\n\n"
    )
    found = korean(text * 4, "큐와 React", 2)
    assert "React" in found
    assert not {"chemist", "unique", "expensive", "setNumber"} & set(korean(text * 4))


def test_everyday_words_are_no_korean_keywords() -> None:
    text = "캐시의 장점은 크다. 캐시의 한계는 왼쪽 그림과 같다. 캐시의 단점도 있다. 웨이터가 주문을 받는다. "
    assert not {"장점", "한계", "왼쪽", "그림", "단점", "주문"} & set(korean(text * 3, "캐시"))
    assert korean(text * 3, "캐시")[0] == "캐시"


def test_one_thing_is_named_in_one_script() -> None:
    text = "카프카는 메시지를 보낸다. Kafka는 빠르다. 카프카와 Kafka 브로커를 본다. "
    found = korean(text * 3, "카프카")
    assert len({"카프카", "Kafka"} & set(found)) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("카프카", "Kafka", True),
        ("FlashAttention", "FlashAttention-3", True),
        ("평가", "평가자", True),
        ("Breaking Change", "Breaking Changes", True),
        ("Java", "JavaScript", False),
        ("VPN", "VPC", False),
    ],
)
def test_two_names_of_one_thing(one: str, other: str, same: bool) -> None:
    assert same_thing(one, other) is same


def test_a_loan_word_that_was_cut_is_mended() -> None:
    text = "인터럽트가 온다. 인터럽트는 빠르다. 인터럽트 루틴."
    assert mended("인터럽", text) == "인터럽트"
    assert mended("인터럽트", text) == "인터럽트"
    assert mended("검출", "검출된다. 검출되면. 검출을") == "검출"
