"""Sentences taken out of a part, to be written from the rest of it."""

from __future__ import annotations

from core.article import Article
from core.chunks import cut
from core.judging.gist import SHOWN_WORDS, rank
from training.sets.gaps import gaps

SAID = "A connection pool keeps the connections of a database open between requests."
BEARS = (
    "Opening connections to a database takes ten milliseconds for each of the requests. "
    "The pool therefore keeps them open and hands one of its connections to each request. "
    "When every connection is busy, a request waits until another one has given its own back to the pool."
)
OTHER = (
    "Kernels schedule threads on processors by their priority and by the time they have waited. "
    "A thread that sleeps costs memory for its stack and nothing else that could be measured here. "
    "Priorities are inverted where a thread of low priority holds a lock that one of high priority needs."
)


def _gaps(text: str) -> list[str]:
    document = cut(Article(title="Waiting", content=text, language="en"), 330)
    found = list(gaps(document, rank(document), SHOWN_WORDS))
    assert all(gap.said not in gap.text for gap in found)
    return [gap.said for gap in found]


def test_what_the_rest_of_a_part_bears_out_is_taken_out() -> None:
    assert _gaps(f"{SAID} {BEARS}") == [SAID]


def test_what_nothing_else_says_stays() -> None:
    assert SAID not in _gaps(f"{SAID} {OTHER}")


def test_what_stands_there_twice_teaches_to_copy() -> None:
    assert SAID not in _gaps(f"{SAID} {BEARS} {SAID.replace('A', 'Such a', 1)}")


def test_what_leans_on_a_neighbour_stays() -> None:
    leaning = f"This keeps {SAID[len('A connection pool keeps ') :]}"
    assert leaning not in _gaps(f"{leaning} {BEARS}")


def test_a_part_with_little_else_to_show_has_none() -> None:
    assert _gaps(f"{SAID} The pool keeps the connections open.") == []
