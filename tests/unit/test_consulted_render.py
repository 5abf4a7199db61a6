"""Explanations, answers and searches keep every limit of both chats, whatever articles say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.discord_checks import check_message
from support.discord_components import walk
from support.discord_people import links_in as links_on_discord
from support.slack_block_rules import (
    block_errors,
    characters_in,
    links_in,
    mentions_in,
    visible_text,
)

from bot.discord import consulted as on_discord
from bot.discord.escaping import width
from bot.slack import consulted as on_slack
from core.article import Language
from core.digest import DifficultyLevel
from core.explaining import Easiest, Explanation, Unknown
from core.judging.explanations import Said, Source
from core.library import Hit
from core.retrieval.answering import Answer, AnswerSentence, Citation, Nearest, NotRead

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!channel> <@U123|x> <#C1> <!subteam^S1> @everyone @here <@&12345678901234567>",
            "<https://evil.example|click> [click](https://evil.example) https://evil.example",
            "*bold* _italic_ ~strike~ `code` ```block``` > quote **x** ||y|| # z -# small",
            ":smile: &lt;!channel&gt; &amp; \u202ertl \u200bzero",
            "한국어 문장은 글자마다 세 바이트입니다. " * 200,
            "x" * 4000,
            "",
            " \n\t ",
        ]
    ),
    st.text(max_size=300),
)
LINKS = st.sampled_from(
    [
        None,
        "https://a.example/post",
        "https://a.example/" + "x" * 3000,
        "javascript:alert(1)",
        "https://a.example/(x)|y>z'\"",
        "https://한국.example/글",
    ]
)
LANGUAGES = st.sampled_from(["ko", "en"])
SCORES = st.floats(1.0, 5.0)
SOURCES = st.builds(Source, digest_id=st.just("d"), title=st.none() | HOSTILE, link=LINKS)
SAID = st.builds(
    Said,
    text=HOSTILE,
    origin=st.sampled_from(["article", "glossary", "model"]),
    kind=st.sampled_from(["definition", "use"]),
    language=LANGUAGES,
    credit=st.none() | HOSTILE,
    article=st.none() | SOURCES,
)


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    score = DifficultyLevel.of(draw(SCORES))
    easiest = Easiest(
        digest_id="d",
        title=draw(st.none() | HOSTILE),
        link=draw(LINKS),
        difficulty=score.score,
        label=score.label,
    )
    names = st.lists(HOSTILE, max_size=6).map(tuple)
    return Explanation(
        term=draw(HOSTILE),
        explanation=draw(HOSTILE),
        origin="article",
        language="en",
        said=tuple(draw(st.lists(SAID, max_size=3))),
        names=draw(names),
        senses=draw(names),
        related=draw(names),
        easiest=draw(st.none() | st.just(easiest)),
    )


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    count = draw(st.integers(1, 3))
    sentences = tuple(
        AnswerSentence(
            text=draw(HOSTILE),
            origin=draw(st.sampled_from(["model", "article"])),
            cited=(draw(st.integers(1, 3)),),
        )
        for _ in range(count)
    )
    citations = tuple(
        Citation(
            number=number,
            digest_id="d",
            title=draw(st.none() | HOSTILE),
            link=draw(LINKS),
            quote=draw(HOSTILE),
        )
        for number in range(1, 4)
    )
    return Answer(
        question=draw(HOSTILE)[:1300],
        language="en",
        sentences=sentences,
        citations=citations,
        evidence=0.7,
    )


NEAREST = st.builds(Nearest, digest_id=st.just("d"), title=st.none() | HOSTILE, link=LINKS)
NOT_READ = st.builds(
    NotRead,
    question=HOSTILE,
    language=LANGUAGES,
    near=st.lists(NEAREST, max_size=3).map(tuple),
)


@st.composite
def hits(draw: st.DrawFn) -> Hit:
    level = DifficultyLevel.of(draw(SCORES))
    return Hit(
        digest_id="d",
        title=draw(st.none() | HOSTILE),
        link=draw(LINKS),
        site=draw(st.none() | HOSTILE),
        language="en",
        difficulty=level.score,
        label=level.label,
        digested_at=datetime(2026, 1, 2, tzinfo=UTC),
        text=draw(HOSTILE),
        score=1.0,
    )


def bytes_in(value: Any) -> int:
    """Texts, addresses and what buttons carry, in bytes of UTF-8."""
    if isinstance(value, dict):
        own = (value[k] for k in ("text", "url", "value") if isinstance(value.get(k), str))
        return sum(len(one.encode()) for one in own) + sum(map(bytes_in, value.values()))
    return sum(map(bytes_in, value)) if isinstance(value, list) else 0


def slack_takes(shown: on_slack.Shown) -> None:
    """Whole; nobody is called, and no address is alive but those of articles."""
    blocks, text = shown
    assert block_errors(blocks) == []
    assert bytes_in(blocks) < 10_000
    assert characters_in(blocks) < 10_000
    assert mentions_in(blocks) == []
    assert all("evil" not in link and link.startswith("http") for link in links_in(blocks))
    assert '"mrkdwn"' not in json.dumps(blocks)
    assert "<" not in text.replace("&lt;", "")


def discord_takes(view: Any) -> None:
    form: dict[str, Any] = {"components": view.to_components(), "flags": 1 << 15}
    view.stop()
    check_message(form, files=[])
    texts = [c["content"] for _, c in walk(form["components"]) if c.get("type") == 10]
    assert sum(map(width, texts)) <= 4000
    # a menu's labels are no links, whatever stands in them
    shown = {"components": [{"type": 10, "content": text} for text in texts]}
    assert all(one.startswith("https://") and "evil" not in one for one in links_on_discord(shown))
    assert "@everyone" not in "\n".join(texts)


@settings(deadline=None, max_examples=15)
@given(found=explanations(), ui=LANGUAGES, shared=st.booleans())
@example(
    found=Explanation(term="\x1b", explanation="x", origin="article", language="en"),
    ui="en",
    shared=False,
)
async def test_every_explanation_is_taken(found: Explanation, ui: Language, shared: bool) -> None:
    slack_takes(on_slack.explained(found, ui, shared=shared))
    discord_takes(on_discord.explained(found, ui))


@settings(deadline=None, max_examples=15)
@given(
    found=answers() | NOT_READ,
    asked=HOSTILE,
    ui=LANGUAGES,
    where=st.sampled_from(["private", "shared", "thread"]),
)
async def test_every_answer_is_taken(
    found: Answer | NotRead, asked: str, ui: Language, where: Any
) -> None:
    slack_takes(on_slack.answered(found, ui, asked=asked, where=where))
    discord_takes(on_discord.answered(found, ui, asked=asked, beneath=where == "thread"))


@settings(deadline=None, max_examples=10)
@given(found=st.lists(hits(), max_size=8), query=HOSTILE, ui=LANGUAGES)
async def test_every_search_is_taken(found: list[Hit], query: str, ui: Language) -> None:
    slack_takes(on_slack.hits(found, query, ui))
    discord_takes(on_discord.hits(found, query, ui))


@settings(deadline=None, max_examples=10)
@given(term=HOSTILE, near=st.lists(HOSTILE, max_size=5).map(tuple), ui=LANGUAGES)
async def test_every_unknown_term_is_taken(term: str, near: tuple[str, ...], ui: Language) -> None:
    found = Unknown(term=term, near=near)
    slack_takes(on_slack.unknown(found, ui))
    slack_takes(on_slack.offered(near, ui))
    discord_takes(on_discord.unknown(found, ui))


@pytest.mark.parametrize("ui", ["ko", "en"])
def test_who_says_what_is_seen(ui: Language) -> None:
    said = [
        Said(text="Said by an article.", origin="article", language="en",
             article=Source(digest_id="d", title="Its title", link="https://a.example/x")),
        Said(text="Said by the glossary.", origin="glossary", language="en", credit="CC BY"),
        Said(text="Said by the model.", origin="model", language="en"),
    ]  # fmt: skip
    found = Explanation(term="x", explanation="", origin="article", language="en", said=tuple(said))
    text = visible_text(on_slack.explained(found, ui)[0])
    for part in ("Its title", "CC BY", "모델" if ui == "ko" else "model"):
        assert part in text
