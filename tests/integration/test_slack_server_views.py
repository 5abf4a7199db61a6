"""Block Kit in views, what is no Block Kit at all, and what a reader sees of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support.slack_block_rules import (
    block_errors,
    links_in,
    mentions_in,
    options_errors,
    view_errors,
    visible_text,
)
from support.slack_kit import (
    actions,
    button,
    letters,
    marked,
    options,
    picture,
    radio,
    section,
    words,
)
from support.slack_world import Json


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": words("a"), "blocks": [], **more}


def asking(**more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "text", **more}
    return {"type": "input", "label": words("a"), "element": element}


def typing(**more: Any) -> Json:
    element = {"type": "multi_external_select", "action_id": "pick", **more}
    return {"type": "input", "label": words("a"), "element": element}


VIEWS: list[tuple[str, Callable[[Any], Json], Any, Any, str, str]] = [
    ("title", lambda n: modal(title=words(letters(n))), 24, 25, "25", "/title/text"),
    ("submit", lambda n: modal(submit=words(letters(n))), 24, 25, "25", "/submit/text"),
    ("close", lambda n: modal(close=words(letters(n))), 24, 25, "25", "/close/text"),
    (
        "metadata",
        lambda n: modal(private_metadata=letters(n)),
        3000,
        3001,
        "3001",
        "/private_metadata",
    ),
    ("callback_id", lambda n: modal(callback_id=letters(n)), 255, 256, "256", "/callback_id"),
    (
        "blocks",
        lambda n: modal(blocks=[{"type": "divider"}] * n),
        100,
        101,
        "no more than 100",
        "/blocks",
    ),
    (
        "inputs need submit",
        lambda more: modal(blocks=[asking()], **more),
        {"submit": words("a")},
        {},
        "missing required field: submit",
        "",
    ),
    (
        "home's inputs need none",
        lambda kind: {"type": kind, "blocks": [asking()]},
        "home",
        "modal",
        "missing required field: title",
        "",
    ),
    (
        "home has no title",
        lambda more: {"type": "home", "blocks": [], **more},
        {},
        {"title": words("a")},
        "invalid additional property: title",
        "",
    ),
    (
        "markdown",
        lambda one: modal(blocks=[one]),
        {"type": "divider"},
        {"type": "markdown", "text": "a"},
        "unsupported type: markdown",
        "/blocks/0/type",
    ),
    (
        "kind",
        lambda kind: {"type": kind, "blocks": []},
        "home",
        "workflow_step",
        "unsupported type",
        "/type",
    ),
    (
        "button as input",
        lambda one: modal(submit=words("a"), blocks=[{**asking(), "element": one}]),
        radio(2),
        button(),
        "unsupported type: button",
        "/blocks/0/element/type",
    ),
    (
        "least letters",
        lambda n: modal(submit=words("a"), blocks=[typing(min_query_length=n)]),
        0,
        -1,
        "between 0 and 100",
        "/blocks/0/element/min_query_length",
    ),
    (
        "chosen from the beginning",
        lambda n: modal(submit=words("a"), blocks=[typing(initial_options=options(n))]),
        100,
        101,
        "no more than 100 items",
        "/blocks/0/element/initial_options",
    ),
    (
        "longest answer",
        lambda n: modal(submit=words("a"), blocks=[asking(max_length=n)]),
        3000,
        3001,
        "between 1 and 3000",
        "/blocks/0/element/max_length",
    ),
]


@pytest.mark.parametrize("case", VIEWS, ids=lambda case: case[0])
def test_a_view_passes_at_the_limit_and_is_refused_beyond_it(
    case: tuple[str, Callable[[Any], Json], Any, Any, str, str],
) -> None:
    _, view, good, bad, sentence, where = case
    assert view_errors(view(good)) == []
    errors = view_errors(view(bad))
    assert any(
        sentence in error and error.endswith(f"[json-pointer:/view{where}]") for error in errors
    ), errors


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"options": options(100)}, ""),
        ({"options": []}, ""),
        ({"option_groups": [{"label": words("a"), "options": options(100)}]}, ""),
        ({"options": options(101)}, "no more than 100 items allowed [json-pointer:/options]"),
        ({"options": options(1), "option_groups": []}, "exactly one of"),
        ({}, "exactly one of"),
        ("", "must provide an object"),
        (
            {"options": [{"text": words(letters(76)), "value": "v"}]},
            "must be less than 76 characters [json-pointer:/options/0/text/text]",
        ),
        (
            {"options": [{"text": words("a"), "value": letters(151)}]},
            "must be less than 151 characters [json-pointer:/options/0/value]",
        ),
        ({"options": [{"text": marked("a"), "value": "v"}]}, "unsupported type: mrkdwn"),
        ({"options": [{"text": words("a")}]}, "missing required field: value"),
        ({"options": options(1, description=words(letters(76)))}, "less than 76"),
    ],
)
def test_options_pass_at_the_limit_and_are_refused_beyond_it(answer: Any, sentence: str) -> None:
    errors = options_errors(answer)
    assert any(sentence in error for error in errors) if sentence else errors == []


@pytest.mark.parametrize("junk", [None, "text", 3, [None], [3], ["a"], [{}], [[]], [{"type": []}]])
def test_what_is_no_block_at_all_is_refused_without_an_exception(junk: Any) -> None:
    assert block_errors(junk)
    assert view_errors(junk)


def test_a_reader_sees_labels_and_plain_characters() -> None:
    blocks = [
        {"type": "header", "text": words("A title")},
        *section(text=marked("a &lt;b&gt; &amp; <https://a.example/x|the page>")),
        picture(alt_text="a cat"),
    ]
    assert visible_text(blocks) == "A title\na <b> & the page\na cat"


def test_a_smuggled_mention_is_found_wherever_slack_would_act_on_it() -> None:
    person: Json = {"type": "user", "user_id": "U1"}
    blocks = [
        *section(text=marked("<@U1> &lt;@U2&gt; <!channel> <#C1|here> <!subteam^S1>")),
        {"type": "header", "text": words("<@U9> is only text in plain text")},
        {"type": "context", "elements": [marked("<!here>")]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [person]}]},
    ]
    found = ["<@U1>", "<!channel>", "<#C1|here>", "<!subteam^S1>", "<!here>", "user:U1"]
    assert mentions_in(blocks) == found


def test_every_address_a_person_can_press_is_found() -> None:
    blocks = [
        *section(text=marked("<https://a.example/1|x> and https://a.example/2 bare")),
        *section(text=words("https://a.example/plain")),
        {"type": "markdown", "text": "[y](https://a.example/3)"},
        *actions(button(url="https://a.example/4")),
    ]
    assert links_in(blocks) == [f"https://a.example/{n}" for n in (1, 2, 3, 4)]
