"""Equations that an article makes, and those that a small model makes of it."""

from __future__ import annotations

import pytest

from core.article import Article
from core.chunks import Document, cut
from core.judging.equating import equates

TEXT = (
    "Blink extends the runtime with stream operators that read from several inputs. "
    "The cloud-native stream processor Flink was started at a university. It is a project of the foundation. "
    "PEMJA, a bridge between two languages, runs both in one process. "
    "The forms service sends each answer to a function. "
    "A checkpoint, which is taken every minute, is a consistent copy of the state. "
    "In April there came Functions 2.0, a training and some efforts, and a foreign key, a new table. "
    "Savepoints, a kind of checkpoint, are made by hand."
)


@pytest.fixture
def article() -> Document:
    return cut(Article(title="Streams: the new runtime", content=TEXT, language="en"), 330)


@pytest.mark.parametrize(
    "claim",
    [
        "Blink is a stream operator that can be used to read from different inputs.",
        "PEMJA is a university for two languages.",
        "The forms service is a function for answers.",
        "The university was one of the stream processors.",
        "Flink is a way of sending answers.",
        "Functions 2.0 is a training for everybody.",
        "A foreign key is a table in both schemas.",
        "Savepoints are a kind of key.",
    ],
)
def test_what_only_stands_beside_each_other_is_no_equation(article: Document, claim: str) -> None:
    assert equates(claim, article)


@pytest.mark.parametrize(
    "claim",
    [
        "PEMJA is a bridge from one language to another.",
        "Flink is a stream processor for the cloud.",
        "Flink is one of the projects of the foundation.",
        "Checkpoints are a copy of the state.",
        "Blink extends the runtime with operators.",
        "The new runtime is the runtime.",
        "Savepoints are a type of checkpoint.",
        "체크포인트는 상태의 사본이다.",
    ],
)
def test_what_the_article_says_too_and_what_is_none_stays(article: Document, claim: str) -> None:
    assert not equates(claim, article)
