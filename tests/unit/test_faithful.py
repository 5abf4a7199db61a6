from __future__ import annotations

import pytest
from support.builders import an_article

from core.article import Language
from core.chunks import cut
from core.judging.evidence import Measuring
from core.judging.facts import Known, numbers
from core.judging.faithful import AGAINST, BORNE, FOR, Evidence, faithfulness, judge
from core.settings import DigestSettings

CONTENT = """Raft elects a leader by majority vote. Each term has at most one leader.
A follower that hears nothing for 300 milliseconds starts an election.
The leader does not accept writes before a majority has stored them.
Snapshots reduce the size of the log. etcd and Consul use Raft.
"""
KOREAN = """파드는 쿠버네티스에서 가장 작은 배포 단위다. 컨테이너가 종료되면 kubelet이 다시 시작한다.
재시작 간격은 최대 5분까지 늘어난다. 이 설정은 데이터를 삭제하지 않는다.
"""


@pytest.fixture(scope="module")
def english() -> Evidence:
    return Evidence(cut(an_article(title="Raft", content=CONTENT, language="en"), 300))


@pytest.fixture(scope="module")
def korean() -> Evidence:
    return Evidence(cut(an_article(title="파드", content=KOREAN, language="ko"), 300))


@pytest.mark.parametrize(
    "claim",
    [
        "Raft elects a leader by majority vote.",
        "A follower starts an election after hearing nothing for 300 milliseconds.",
        "Snapshots reduce the log's size.",
        "Both elect a leader by majority vote.",
        "The leader does not accept writes before a majority stored them.",
    ],
)
def test_what_the_article_says_is_borne_out(english: Evidence, claim: str) -> None:
    found = english.support(claim)
    assert (found.score > 0.75, found.broken) == (True, "")


@pytest.mark.parametrize(
    ("claim", "broken"),
    [
        ("A follower starts an election after hearing nothing for 500 milliseconds.", "number"),
        ("The leader accepts writes before a majority has stored them.", "negation"),
        ("Raft does not elect a leader by majority vote.", "negation"),
        ("Snapshots increase the size of the log.", "opposite"),
        ("Each term only has one leader.", "opposite"),
        ("ZooKeeper and Consul use Raft.", "name"),
        # where a sentence opens a capital tells no name, but no text has that word
        ("Raiftd elects a leader by majority vote.", "name"),
    ],
)
def test_one_changed_fact_breaks_a_claim(english: Evidence, claim: str, broken: str) -> None:
    assert english.support(claim).broken == broken


def test_a_sentence_of_another_article_has_no_support(english: Evidence) -> None:
    assert english.support("Browsers cache stylesheets for better performance.").score < BORNE


def test_the_source_is_the_sentence_that_bears_the_claim(english: Evidence) -> None:
    assert english.support("Each term has one leader.").source == 1


def test_how_far_one_passage_says_a_claim(english: Evidence) -> None:
    told = english.support("Raft elects leaders by majority vote.").together
    gathered = english.support("A majority hears one follower of a term and writes.").together
    framed = english.support("This article describes how Raft elects a leader by majority vote.")
    assert told > framed.together >= 0.5 > gathered
    assert (
        english.support("This article describes the size of writes before an election.").together
        < 0.5
    )


DEBUGGING = """This guide shows you how to debug C# source code for a compiled PowerShell module with
Visual Studio Code 1.14 and the C# extension. A compiled cmdlet is a module. Version 2 is planned.
"""


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        # the same words, and another thing does it
        (
            "You debug C# source code for a compiled PowerShell module with Visual Studio Code.",
            "Visual Studio Code debugs C# source code for a compiled cmdlet.",
        ),
        # a number of another sentence
        (
            "Debug source code for a compiled PowerShell module with Visual Studio Code 1.14.",
            "Debug source code for a compiled PowerShell module with Visual Studio Code 2.",
        ),
    ],
)
def test_another_order_and_a_number_of_elsewhere_count_less(said: str, turned: str) -> None:
    article = Evidence(cut(an_article(title="Modules", content=DEBUGGING, language="en"), 300))
    least = DigestSettings().min_together
    assert article.support(said).together >= least > article.support(turned).together


def test_two_neighbouring_sentences_may_bear_one_claim_together(english: Evidence) -> None:
    claim = "Raft elects a leader by majority vote, at most one leader each term."
    assert english.support(claim).score > 0.75


@pytest.mark.parametrize(
    ("claim", "broken"),
    [
        ("재시작 간격은 최대 5분까지 늘어난다.", ""),
        ("재시작 간격은 최대 50분까지 늘어난다.", "number"),
        ("이 설정은 데이터를 삭제한다.", "negation"),
    ],
)
def test_korean_claims_are_compared_alike(korean: Evidence, claim: str, broken: str) -> None:
    assert korean.support(claim).broken == broken


def test_without_a_content_word_there_is_no_support(english: Evidence) -> None:
    assert english.support("It is what it is.").score == 0.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000 rows and 2.5 s", ["1000", "2.5"]),
        ("two of three", ["2", "3"]),
        ("no one has zero", []),
        ("3.", ["3"]),
    ],
)
def test_numbers_are_compared_in_one_form(text: str, expected: list[str]) -> None:
    assert numbers(text) == expected


def test_a_number_that_only_the_article_has_breaks_nothing(english: Evidence) -> None:
    assert english.support("A follower that hears nothing starts an election.").broken == ""


def test_a_claim_of_many_sentences_is_as_doubtful_as_its_worst(english: Evidence) -> None:
    true = "Raft elects a leader by majority vote. Snapshots reduce the size of the log."
    false = true.replace("reduce", "increase")
    assert english.support(false).score < english.support(true).score - 0.05
    assert english.support(false).broken == "opposite"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_support_never_speaks_against_a_claim_and_contradiction_never_for_it(
    language: Language,
) -> None:
    weights = judge(language).weights
    assert set(weights) == {*FOR, *AGAINST}
    assert min(weights[name] for name in FOR) >= 0
    assert max(weights[name] for name in AGAINST) <= 0


def test_texts_alone_are_enough() -> None:
    article = an_article(title="Raft", content=CONTENT, language="en")
    assert faithfulness(article, "Each term has at most one leader.") >= BORNE
    assert faithfulness(article, "Kafka stores its topics in partitions.") < BORNE


@pytest.mark.parametrize(
    ("language", "content", "true", "false"),
    [
        (
            "en",
            "The cache does not use locks. Readers use snapshots of the table. Writers wait.",
            "Readers use snapshots.",
            "Readers do not use snapshots.",
        ),
        (
            "ko",
            "캐시는 잠금을 사용하지 않는다. 읽는 쪽은 스냅숏을 사용한다. 쓰는 쪽은 기다린다.",
            "읽는 쪽은 스냅숏을 사용한다.",
            "읽는 쪽은 스냅숏을 사용하지 않는다.",
        ),
    ],
)
def test_what_is_negated_elsewhere_is_turned_round_all_the_same(
    language: Language, content: str, true: str, false: str
) -> None:
    article = Measuring(cut(an_article(title="캐시", content=content, language=language), 330))
    turned, stands = article.measure(false), article.measure(true)
    assert turned is not None
    assert stands is not None
    assert turned.signs["turned_beside"] > 0 == stands.signs["turned_beside"]


@pytest.mark.parametrize(
    ("language", "content", "false", "quoted"),
    [
        (
            "en",
            "We propose a new index for logs. It does not provide ordering.",
            "We do not propose an index for logs.",
            "The index does not provide ordering.",
        ),
        (
            "ko",
            "이 글은 로그 색인을 설명합니다. 순서는 제공하지 않습니다.",
            "이 글은 로그 색인을 설명하지 않습니다.",
            "순서는 제공하지 않습니다.",
        ),
    ],
)
def test_a_summary_does_not_say_what_was_not_done_unless_the_article_does(
    language: Language, content: str, false: str, quoted: str
) -> None:
    article = Measuring(cut(an_article(title="Logs", content=content, language=language), 330))
    denied, said = article.measure(false), article.measure(quoted)
    assert denied is not None
    assert said is not None
    assert denied.signs["denied"] > 0 == said.signs["denied"]


def test_names_are_written_as_the_article_writes_them() -> None:
    known = Known("GOMAXPROCS is read once. Set GOMAXPROCS early; gofmt and GitHub do not.")
    assert known.respelled("GoMAXPROCS and GOMAXPROcs are read by GoFmt.") == (
        "GOMAXPROCS and GOMAXPROCS are read by gofmt."
    )
    assert known.respelled("Gofmt and GitHub and OpenFaaS stay.") == (
        "Gofmt and GitHub and OpenFaaS stay."
    )
