"""Which descriptions are like a digest's sentences."""

from __future__ import annotations

import pytest

from core.article import Article
from core.chunks import cut
from training.sets.statements import stands, tells


@pytest.mark.parametrize(
    "said",
    [
        "V8 v5.2 includes support for ES2016 language features.",
        "Go 1.5 is the first step toward a new garbage collector.",
        "The Web Bluetooth API allows websites to communicate with Bluetooth devices.",
        "CSS Grid is a new layout system for the web.",
        "This post explains the components of the architecture.",
    ],
)
def test_a_sentence_about_something_tells(said: str) -> None:
    assert tells(said)


@pytest.mark.parametrize(
    "said",
    [
        "An overview of the review process and how it works.",
        "A basic tutorial introduction to gRPC in Node.",
        "Best practices for securing what Linkerd taps.",
        "Learn how Kubernetes schedules a pod.",
        "Use Linkerd to see what your application does.",
        "Introducing the inspector, which is a visual tool.",
        "We just pushed a version which fixes several bugs.",
        "One of my favorite projects is about social media.",
        "Support for replaying offline interactions.",
    ],
)
def test_what_names_or_orders_does_not(said: str) -> None:
    assert not tells(said)


def test_only_what_the_article_bears_out_stands() -> None:
    text = "A pool keeps database connections open, so that no request waits for a new one. "
    document = cut(Article(title="On pools", content=text * 3, language="en"), 330)
    assert stands(document, "A pool keeps connections to the database open.")
    assert not stands(document, "A pool keeps twelve connections to the database open.")
    assert not stands(document, "Kubernetes restarts containers that have crashed before.")
    assert not stands(document, "How a pool keeps connections to the database open.")
