"""Prerequisites: what of an author's own list is one, and what may be guessed beside it."""

from __future__ import annotations

import pytest
from support.builders import an_article

from core.article import Language
from core.chunks import Document, cut
from core.judging.prerequisites import prerequisites, technologies


def document(content: str, title: str = "A title", language: Language = "en") -> Document:
    return cut(an_article(content=content, title=title, language=language), 330)


def listed(*items: str) -> tuple[str, ...]:
    lines = "\n".join(f"- {item}" for item in items)
    return prerequisites(document(f"Some words about it.\n\n## Prerequisites\n\n{lines}\n"))


@pytest.mark.parametrize(
    "remark",
    [
        "Note: This tutorial is part of a learning journey.",
        "For more information, see Getting Started with a Customer Account.",
        "See Initial Setup.",
        "This Learning Path has been tested on AWS and Oracle platforms.",
        "In the Setup window select, as a minimum, version 6.2.",
        "Open the Start Menu.",
        "If you don't have one, you can create one easily for free.",
        "Make sure you have fulfilled all the prerequisites in Getting Started.",
        "자세한 내용은 설치 문서를 참고하세요.",
    ],
)
def test_a_remark_in_the_list_is_no_prerequisite(remark: str) -> None:
    assert listed("A compiler", remark) == ("A compiler",)


def test_what_follows_in_an_item_counts_only_where_it_asks_for_something() -> None:
    assert listed(
        "You have an account on the platform. See Trial Accounts.",
        "The administrator role. You need this role in order to deploy an application.",
    ) == ("An account on the platform", "The administrator role")


@pytest.mark.parametrize(
    ("said", "item"),
    [
        (
            "You have the Org Manager role in the organization used for this tutorial.",
            "The Org Manager role in the organization",
        ),
        ("You will need a computer to complete this Learning Path.", "A computer"),
        ("You are familiar with the basics of SQL.", "Familiarity with the basics of SQL"),
        ("Before you begin, install the SDK.", "Install the SDK"),
        ("You have subscribed to the service.", "You have subscribed to the service"),
        ("You have a shop and you've opened it.", "You have a shop and you've opened it"),
        ("Your user is assigned to the proper role.", "Your user is assigned to the proper role"),
    ],
)
def test_a_sentence_about_readers_becomes_the_thing_they_need(said: str, item: str) -> None:
    assert listed(said) == (item,)


def test_a_paragraph_has_to_ask_for_something() -> None:
    content = (
        "## Before you begin\n\nThe list of runtimes can differ.\n\nYou need a Linux server.\n"
    )
    assert prerequisites(document(content)) == ("A Linux server",)


SPOKEN_OF = "Kubernetes limits memory. Kubernetes kills pods. Kubernetes says so. Limits matter. "


@pytest.mark.parametrize(
    ("more", "item"),
    [
        ("", "Familiarity with Kubernetes"),
        ("\n\n```\nkubectl apply -f pod.yaml\n```\n", "Kubernetes installed"),
        ("First install Kubernetes on it.", "Kubernetes installed"),
    ],
)
def test_installed_is_said_only_of_what_is_put_to_use(more: str, item: str) -> None:
    assert prerequisites(document(SPOKEN_OF + more)) == (item,)


def test_a_report_asks_for_no_account() -> None:
    report = "GitHub was slow. GitHub was fixed. GitHub is fast. We thank GitHub."
    steps = " Open the page. Click the button. Enter a name. Select a folder."
    assert prerequisites(document(report)) == ("Familiarity with GitHub",)
    assert prerequisites(document(report + steps)) == ("A GitHub account",)


def test_news_ask_for_nothing_that_they_do_not_name() -> None:
    news = "Node.js has a member. Node.js grows. Node.js thanks everyone. Node.js is loved."
    assert prerequisites(document(news)) == ("Familiarity with Node.js",)
    assert prerequisites(document(news), level=1.2) == ()
    named = document(f"{news}\n\n## Prerequisites\n\n- A ticket\n")
    assert prerequisites(named, level=1.2) == ("A ticket",)


def test_what_is_assumed_ends_before_its_verb_and_is_not_denied() -> None:
    said = "Basic knowledge about loading files in Julia is needed."
    assert prerequisites(document(said)) == ("loading files in Julia",)
    denied = "It is built so that no prior knowledge about loading files in Julia is needed."
    assert prerequisites(document(denied)) == ()


def test_an_editor_is_asked_for_where_readers_work_with_it() -> None:
    assert prerequisites(document("Delve is the engine behind GoLand, VS Code, and Vim.")) == ()
    asked = prerequisites(document("Open the folder in VS Code."))
    assert asked == ("A code editor such as Visual Studio Code",)


def test_what_is_mentioned_in_passing_in_a_long_text_is_not_asked_for() -> None:
    passing = "An HTTP server is slow. The HTTP request waits. HTTP is done. " + "It is fast. " * 90
    assert prerequisites(document(passing + "Jenkins was it. Jenkins did. Jenkins went.")) == ()


def test_the_style_sheet_beside_an_example_is_no_subject() -> None:
    code = "```js\n" + "let a;\n" * 9 + "```\n\n```css\nh1 { margin: 0 }\n```\n"
    assert prerequisites(document(f"An example follows.\n\n{code}")) == (
        "Familiarity with JavaScript",
    )


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("Java", "자바스크립트를 쓴다.", False),
        ("Java", "자바를 쓴다.", True),
        ("Webpack", "react-server-dom-webpack", False),
        ("Go", "Go to the cockpit.", False),
        ("Go", "Go is fast.", True),
    ],
)
def test_a_technology_is_not_part_of_another_name(name: str, text: str, found: bool) -> None:
    pattern = next(one.pattern for one in technologies() if one.name == name)
    assert (pattern.search(text) is not None) is found


def test_korean_ideas_are_understood_and_not_used() -> None:
    text = "마이크로서비스는 작다. " * 6
    assert prerequisites(document(text, language="ko")) == ("마이크로서비스에 대한 이해",)
