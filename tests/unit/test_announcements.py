import pytest

from core.article import Article
from core.chunks import cut
from training.sets.announcements import announced


def found_in(*sentences: str) -> str | None:
    content = " ".join(("Goroutines are cheap.", *sentences, "Channels carry values."))
    found = announced(cut(Article(content=content, title="Pipelines"), 330))
    return None if found is None else found[1]


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "In this tutorial, we will learn how to build a pipeline with goroutines and channels.",
            "How to build a pipeline with goroutines and channels.",
        ),
        (
            "This Learning Path shows you how to cancel a pipeline of goroutines early.",
            "How to cancel a pipeline of goroutines early.",
        ),
        (
            "In this guide you'll deploy a server to Kubernetes with two commands.",
            "Deploy a server to Kubernetes with two commands.",
        ),
        (
            "This post will discuss the cost of a channel between two goroutines.",
            "This article discusses the cost of a channel between two goroutines.",
        ),
        (
            "This document walks through the steps of a release of the Go tools.",
            "This article describes the steps of a release of the Go tools.",
        ),
    ],
)
def test_what_an_article_says_of_itself_becomes_its_description(sentence: str, said: str) -> None:
    assert found_in(sentence) == said


@pytest.mark.parametrize(
    "sentence",
    [
        "In this example the channel has room for ten values at the same time.",
        "This post describes the following three patterns of pipelines in Go programs.",
        "In this article we will show how our team builds pipelines of goroutines.",
        "This tutorial explains pipelines briefly.",
        "Learn how to build pipelines in this tutorial about goroutines and channels.",
    ],
)
def test_other_sentences_are_left_where_they_are(sentence: str) -> None:
    assert found_in(sentence) is None


def test_the_sentence_is_found_by_its_place() -> None:
    content = "Goroutines are cheap. This guide explains how to close a channel only once in Go."
    document = cut(Article(content=content, title="Channels"), 330)
    found = announced(document)
    assert found is not None
    assert document.sentences[found[0]].text.startswith("This guide")
