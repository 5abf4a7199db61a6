import pytest

from core.article import Article
from core.chunks import cut
from core.judging.kinds import TextKind, kind_of
from core.prompts import summary

ABSTRACT = (
    "Training deep networks is slow. In this paper we propose a new optimizer. "
    "Our method converges in half the steps."
)
PEP = "# Abstract\n\nThis PEP adds a frozen dict.\n\n# Motivation\n\nDicts can change.\n"
POST = "# Why\n\nWe deploy with Docker on every push. " + "The build takes two minutes. " * 40
SCHEDULE = (
    "This PEP gives the dates of the releases. Python 2.3 was tagged in July. "
    + "A beta came. " * 90
)
ABOUT_ONE = "The proposal was accepted. This proposal adds generics to Go. " + "We tried it. " * 90
CHECKED = "This RFC says what a client may send. This RFC replaces the older one of 1999. " * 30
LONG_PAPER = "Smith et al. measured it. We propose a cache. As shown in [3] it is fast. " * 30


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ABSTRACT, "paper"),
        (LONG_PAPER, "paper"),
        (PEP, "proposal"),
        (CHECKED, "proposal"),
        (SCHEDULE, "proposal"),
        (POST, "article"),
        (ABOUT_ONE, "article"),
        ("Raft elects a leader by majority vote.", "article"),
    ],
)
def test_the_kind_is_told_from_the_text(content: str, kind: TextKind) -> None:
    assert kind_of(cut(Article(content=content, title="A title"), 330)) == kind


def test_a_numbered_title_says_what_it_is() -> None:
    roadmap = Article(content=POST, title="RFC 2657: roadmap 2019")
    assert kind_of(cut(roadmap, 330)) == "proposal"
    about = Article(content=POST, title="Why RFC 2657 matters to you")
    assert kind_of(cut(about, 330)) == "article"


def test_where_it_stands_counts_more() -> None:
    assert kind_of(cut(Article(content=POST, title="A title"), 330), "paper") == "paper"


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("paper", "Summarize this paper in"), ("proposal", "Summarize this proposal in")],
)
def test_the_prompt_names_the_kind(kind: TextKind, asked: str) -> None:
    assert asked in summary.render("T", "Text.", "en", 1, kind=kind).user
    assert "Summarize this article in" in summary.render("T", "Text.", "en").user
