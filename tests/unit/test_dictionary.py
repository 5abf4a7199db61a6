"""Which Korean word stands for which English one, learned from pages in both languages."""

from __future__ import annotations

import random

from training.levels.dictionary import Segment, dictionary, segments, translated

PAIRS = {
    "서버": "server",
    "파일": "file",
    "연결": "connection",
    "커널": "kernel",
    "요청": "request",
    "목록": "list",
    "화면": "screen",
}


def talk(count: int) -> list[Segment]:
    chance = random.Random(1)  # noqa: S311 - no secrets
    chosen = [chance.sample(sorted(PAIRS), 3) for _ in range(count)]
    return [
        Segment(frozenset(words), tuple(PAIRS[word] for word in reversed(words)))
        for words in chosen
    ]


def test_words_that_always_come_together_stand_for_each_other() -> None:
    assert dictionary(talk(60), least=0.3) == PAIRS


def test_a_word_that_stands_everywhere_stands_for_nothing() -> None:
    everywhere = [Segment(one.korean, (*one.english, "page")) for one in talk(60)]
    found = dictionary(everywhere, least=0.3)
    assert "page" not in found.values()
    assert found == PAIRS


def test_a_word_is_spelled_as_it_is_most_often() -> None:
    found = [
        Segment(frozenset({"서버"}), ("servers",)),
        Segment(frozenset({"서버"}), ("server",)),
        Segment(frozenset({"서버"}), ("servers",)),
        Segment(frozenset({"파일"}), ("file",)),
    ]
    assert dictionary(found, least=0.1)["서버"] == "servers"


def test_shares_of_one_word_are_at_most_one() -> None:
    shares = translated([["가", "나"], ["가"]], [["a", "b"], ["a"]], rounds=8)
    assert shares["가", "a"] > shares.get(("가", "b"), 0.0)
    assert sum(share for (word, _), share in shares.items() if word == "가") <= 1.001


def test_paragraphs_in_the_same_place_are_pairs_and_torn_sections_are_left_out() -> None:
    page = {
        "korean": {
            "title": "서버",
            "content": "연결을 연다.\n\n## 파일\n\n파일을 쓴다.\n\n커널이 쓴다.\n\n## 목록\n\n목록.\n",
        },
        "english": {
            "title": "The server",
            "content": "Opens a connection.\n\n## Files\n\nWrites a file. The kernel.\n\n## List\n\nA list.\n",
        },
    }
    found = list(segments([page]))
    assert [one.english for one in found] == [
        ("server",),
        ("opens", "connection"),
        ("list",),
        ("list",),
    ]
    assert found[1].korean >= {"연결"}
