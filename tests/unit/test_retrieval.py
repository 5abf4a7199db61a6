"""Words, wordings and the index in memory, without a database."""

from __future__ import annotations

import hashlib
import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.article import Language
from core.engine.echo import HashingEncoder
from core.ports import Vectors
from core.retrieval.bridge import sound, translated
from core.retrieval.document import (
    Head,
    Source,
    body_bytes,
    head_bytes,
    prepare,
    read_body,
    read_head,
)
from core.retrieval.index import Facts, Index
from core.retrieval.passages import rank_passages
from core.retrieval.ranking import Shelf, rank
from core.retrieval.rewriting import wordings
from core.retrieval.searching import candidates, understand
from core.retrieval.tokens import number, tokens
from core.settings import RetrievalSettings

DOCS = [
    {"id": "pools", "title": "Connection pools", "language": "en",
     "text": "A pool keeps database connections open and hands them to requests."},
    {"id": "queues", "title": "Message queues", "language": "en",
     "text": "A queue decouples producers from consumers."},
    {"id": "pods", "title": "쿠버네티스 파드", "language": "ko",
     "text": "파드는 컨테이너를 담습니다. 파드가 죽으면 컨트롤러가 다시 띄웁니다."},
]  # fmt: skip


# --- words


@pytest.mark.parametrize("particle", ["", "는", "를", "에서", "으로부터의", "까지도"])
def test_a_korean_word_is_the_same_with_any_particle(particle: str) -> None:
    assert "컨테이너" in tokens(f"컨테이너{particle} 배포", "ko")


def test_a_foreign_word_in_korean_meets_the_english_one() -> None:
    assert set(tokens("components를 렌더링", "ko")) & set(tokens("a component", "en"))


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("쿠버네티스", "kubernetes"),
        ("컴포넌트", "component"),
        ("컨테이너", "container"),
        ("클러스터", "cluster"),
        ("프레임워크", "framework"),
        ("알고리즘", "algorithm"),
        ("트랜잭션", "transaction"),
        ("파이프라인", "pipeline"),
    ],
)
def test_a_borrowed_word_sounds_like_its_origin(korean: str, english: str) -> None:
    assert sound(korean) == sound(english) is not None


@pytest.mark.parametrize(
    ("one", "other"), [("컨테이너", "kernel"), ("서버", "server"), ("가", "a")]
)
def test_other_words_do_not_and_short_ones_have_no_sound(one: str, other: str) -> None:
    assert sound(one) is None or sound(one) != sound(other)


def test_terms_are_translated_both_ways_the_longest_first() -> None:
    assert "distributed system" in translated(["분산", "시스템"], "ko")
    assert "분산 시스템" in translated(["distributed", "systems"], "en")
    assert translated(["zyzzyva"], "en") == []


# --- wordings


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("What is a connection pool?", "a connection pool"),
        ("How do I restart a pod?", "restart a pod"),
        ("연결 풀이란 무엇인가요?", "연결 풀"),
        ("파드에 대해 알려주세요", "파드"),
        ("파드를 설명해 줘", "파드"),
        ("what is", "what is"),
    ],
)
def test_what_only_asks_is_left_out_of_one_wording(question: str, bare: str) -> None:
    assert bare in [wording.text for wording in wordings(question)]


def test_the_question_itself_is_the_first_wording() -> None:
    found = wordings("k8s  부하 분산은?", ["load balancing", ""])
    assert found[0].text == "k8s 부하 분산은?"
    assert "kubernetes" in [wording.text for wording in found]
    assert any(wording.bridged and "load balancing" in wording.text for wording in found)


@given(st.text())
@settings(deadline=None, max_examples=50)
def test_whatever_is_asked_has_wordings_each_once(question: str) -> None:
    found = [wording.text for wording in wordings(question)]
    assert len(found) == len(set(found))
    assert all(text.strip() for text in found)


# --- documents


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_what_the_index_keeps_survives_being_bytes(language: Language) -> None:
    source = Source("Pools", "# One\n\nPools keep open. " * 80 + "\n\n파드는 뜬다.", language)
    (made,) = await prepare([source], HashingEncoder())
    head, body = read_head(head_bytes(made.head)), read_body(body_bytes(made.body))
    assert head.terms.tolist() == made.head.terms.tolist()
    assert head.counts.tolist() == made.head.counts.tolist()
    assert head.title.tolist() == made.head.title.tolist()
    assert head.sounds.tolist() == made.head.sounds.tolist()
    assert head.vector == pytest.approx(made.head.vector, abs=0.005)
    assert body.texts == made.body.texts
    assert body.vectors.tolist() == made.body.vectors.tolist()
    assert body.starts.tolist() == made.body.starts.tolist()


async def test_a_language_that_the_encoder_does_not_read_has_no_vectors() -> None:
    class EnglishOnly(HashingEncoder):
        reads: frozenset[Language] = frozenset({"en"})

    (made,) = await prepare([Source("파드", "파드는 컨테이너를 담습니다.", "ko")], EnglishOnly())
    assert not made.head.vector.any()
    assert read_body(body_bytes(made.body)).vectors.size == 0
    ranked = await rank([{"query": "컨테이너를 담는 파드"}], DOCS, EnglishOnly())
    assert ranked[0][0] == "pods"


async def test_an_empty_article_is_still_found_by_its_title() -> None:
    docs = [*DOCS, {"id": "empty", "title": "Zebra crossings", "language": "en", "text": " "}]
    ranked = await rank([{"query": "zebra"}], docs, HashingEncoder())
    assert ranked[0][0] == "empty"


async def test_documents_are_ranked_for_each_query_and_each_once() -> None:
    queries = [{"query": "who keeps connections open"}, {"query": "queue for messages"}]
    ranked = await rank(queries, DOCS, HashingEncoder())
    assert [found[0] for found in ranked] == ["pools", "queues"]
    assert all(sorted(found) == ["pods", "pools", "queues"] for found in ranked)


# --- the index in memory


def head_of(words: str) -> Head:
    terms = np.array(sorted({number(word) for word in words}), dtype=np.uint32)
    hashed = hashlib.sha256(words.encode()).digest()
    return Head(
        terms,
        np.ones(len(terms), dtype=np.uint8),
        terms[:1],
        terms[:0],
        np.frombuffer(hashed, dtype=np.uint8)[:8].astype(np.float32),
    )


steps = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.text(string.ascii_lowercase, max_size=4)),
    max_size=40,
)


@given(steps)
@settings(deadline=None)
def test_an_index_that_grew_piece_by_piece_is_the_one_made_at_once(
    history: list[tuple[str, str]],
) -> None:
    """No text: removed."""
    grown = Index()
    kept: dict[str, str] = {}
    for key, words in history:
        if words:
            grown.add([(Facts(key, key, "en"), head_of(words))])
            kept[key] = words
        else:
            grown.remove([key])
            kept.pop(key, None)
    whole = Index()
    whole.add((Facts(key, key, "en"), head_of(words)) for key, words in kept.items())
    assert grown.keys() == whole.keys() == set(kept)
    if not kept:
        return
    asked = {number(word): 1.0 for word in "aeiou"}

    def found(index: Index) -> set[str]:
        scores, alive = index.words(asked), index.alive()
        hit = np.flatnonzero((scores > 0) & alive)
        return {index.key(int(at)) for at in hit}

    assert found(grown) == found(whole) == {k for k, w in kept.items() if set(w) & set("aeiou")}
    marked = grown.marked(kept)
    assert int((marked & grown.alive()).sum()) == len(kept)
    for at in np.flatnonzero(marked):
        words = kept[grown.key(int(at))]
        assert grown.content(int(at)) == grown.key(int(at))
        assert grown.title_of(int(at)).tolist() == head_of(words).title.tolist()


def test_there_are_few_segments_after_many_additions() -> None:
    index = Index()
    for at in range(300):
        index.add([(Facts(str(at), str(at), "en"), head_of(f"w{at}"))])
    assert len(index) == 300
    assert len(index.segments) <= 9


def test_rare_words_say_more_than_common_ones() -> None:
    index = Index()
    index.add((Facts(str(at), str(at), "en"), head_of("ab" if at == 7 else "a")) for at in range(9))
    scores = index.words({number("a"): 1.0, number("b"): 1.0})
    assert index.key(int(scores.argmax())) == "7"


# --- nearness in meaning


def directions_of(count: int, *, width: int = 96, seed: int = 17) -> Vectors:
    made = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def an_index_of(vectors: Vectors) -> Index:
    index = Index()
    for start in range(0, len(vectors), 150):
        heads = [
            (Facts(f"{start + at}", "", "en"), replace(head_of("a"), vector=vector))
            for at, vector in enumerate(vectors[start : start + 150])
        ]
        index.add(heads)
    return index


async def test_who_is_near_is_found_among_many_though_their_nearness_is_guessed_first() -> None:
    vectors = directions_of(2000)
    index = an_index_of(vectors)
    question = await understand("zyzzyva", HashingEncoder())
    for near in (0, 777, 1999):
        asked = replace(question, vectors=(vectors[near] + 0.5 * directions_of(1, seed=3)))
        found = candidates(index, asked, None, RetrievalSettings(), 5, exact=100)
        exactly = candidates(index, asked, None, RetrievalSettings(), 5, exact=2000)
        assert found[0].key == exactly[0].key == f"{near}"
        assert found[0].meaning == exactly[0].meaning == pytest.approx(0.9, abs=0.25)


async def test_in_an_empty_index_nothing_is_found() -> None:
    question = await understand("anything", HashingEncoder())
    assert candidates(Index(), question, None, RetrievalSettings(), 5) == []
    gone = an_index_of(directions_of(2))
    gone.remove(["0", "1"])
    assert candidates(gone, question, None, RetrievalSettings(), 5) == []


def test_a_guess_rises_with_the_cosine() -> None:
    vectors = directions_of(600)
    index = an_index_of(vectors)
    every = np.arange(600)
    guessed, exact = index.guessed(vectors[:1], every), index.meaning(vectors[:1], every)
    assert np.corrcoef(guessed, exact)[0, 1] > 0.5
    assert int(guessed.argmax()) == int(exact.argmax()) == 0
    assert exact == pytest.approx(vectors @ vectors[0], abs=0.03)


def test_beside_the_vectors_of_a_new_encoder_those_of_an_earlier_one_say_nothing() -> None:
    index = an_index_of(directions_of(3))
    new = directions_of(4, width=8)
    korean = np.zeros(1, dtype=np.float32)
    index.add(
        (Facts(f"new{at}", "", "en"), replace(head_of("b"), vector=vector))
        for at, vector in enumerate([*new, korean])
    )
    assert len(index.segments) == 1
    near = index.meaning(new[:1], np.arange(8))
    assert near.tolist()[:3] == [0.0] * 3
    assert int(near.argmax()) == 3
    assert near[7] == 0.0
    assert index.joined("has_vector").tolist() == [False] * 3 + [True] * 4 + [False]


async def test_of_an_article_that_is_called_so_the_beginning_is_shown_too() -> None:
    """Its later passages say the words of the question more often."""
    text = "It spreads requests over several machines. " * 8
    text += "\n\n# Why\n\n" + "A load balancer is a load balancer for a load balancer. " * 20
    doc = {"id": "lb", "title": "Load balancer", "text": text, "language": "en"}
    shelf = await Shelf.of([doc, *DOCS], HashingEncoder(), RetrievalSettings())

    async def shown(query: str) -> list[int]:
        question = await understand(query, HashingEncoder())
        found = candidates(shelf.index, question, None, shelf.settings, 10)
        ranked = rank_passages(shelf.index, question, found, shelf.bodies, shelf.settings)
        return next([p.position for p in one.passages] for one in ranked if one.key == "lb")

    assert 0 in (await shown("load balancer"))[:2]
    assert 0 not in (await shown("a balancer for a balancer"))[:2]
