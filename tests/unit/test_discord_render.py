"""How a digest looks on Discord: within every limit, and harmless, whatever a page or model says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import a_digest, a_record, details
from support.discord_checks import check_message
from support.discord_components import ROW, TEXT_DISPLAY, walk
from support.discord_people import links_in, visible_text

from bot import replies
from bot.chats import Ready, Shown, Trouble, Waiting
from bot.discord import pages, render, wording
from bot.discord.escaping import escaped, fitted, pieces, safe_address, width
from bot.discord.naming import Pressed, pressed
from core.article import Language
from core.digest import (
    ArticleHead,
    DifficultyLevel,
    DigestRecord,
    Factor,
    SummarySentence,
    TechnicalTerm,
    TermOrigin,
)
from core.errors import BadArticle, LoginWall, SiteUnavailable
from core.places import ChannelProfile, Place, SharedLink

KEY = "0123456789abcdef" * 2
V2 = 1 << 15
LANGUAGES: tuple[Language, ...] = ("ko", "en")

HOSTILE = st.sampled_from(
    [
        "@everyone",
        "@here",
        "<@123456789012345678>",
        "<@&123456789012345678>",
        "<#123456789012345678>",
        "<:party:123456789012345678>",
        ":smile:",
        "</digest:123456789012345678>",
        "<t:1700000000:R>",
        "[here](https://evil.example/)",
        "https://evil.example/x",
        "<https://evil.example/x>",
        "**bold**",
        "__line__",
        "~~gone~~",
        "||secret||",
        "`code`",
        "```\nblock\n```",
        "# heading",
        "-# small",
        "- item",
        "1. item",
        "> quote",
        ">>> quote",
        "\\",
        "\\@everyone",
        "\u202eright to left",
        "\u200b",
        "가나다",
        "👩‍💻",
    ]
)
TEXT = st.lists(st.one_of(HOSTILE, st.text(max_size=60)), max_size=8).map(" ".join)
LONG = st.one_of(TEXT, st.integers(1, 3000).map(lambda n: "가_" * n), TEXT.map(lambda t: t * 20))
WORDS = st.lists(LONG, max_size=6).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> DigestRecord:
    terms = tuple(
        TechnicalTerm(term=draw(LONG), explanation=draw(LONG))
        for _ in range(draw(st.integers(0, 4)))
    )
    factors = tuple(
        Factor(name=name, score=draw(st.floats(1, 5)), share=0.25, words=draw(WORDS))
        for name in ("terms", "concepts", "background", "algorithms")
    )
    return a_record(
        article=ArticleHead(
            title=draw(st.one_of(st.none(), LONG)),
            url=draw(st.one_of(st.none(), TEXT, st.just("https://a.example/b(c)?d=[e]"))),
            site=draw(st.one_of(st.none(), LONG)),
            source_type="blog",
            language="en",
            author=draw(st.one_of(st.none(), LONG)),
        ),
        digest=a_digest(
            summary=draw(LONG),
            keywords=draw(WORDS),
            prerequisites=draw(WORDS),
            technical_terms=terms,
            difficulty_level=DifficultyLevel.of(draw(st.floats(1, 5))),
        ),
        details=details(
            model=draw(LONG),
            factors=factors,
            sentences=(SummarySentence(text="", origin="model", support=1, source=draw(LONG)),),
            term_origins=tuple(
                TermOrigin(term=one.term, origin="glossary", credit=draw(LONG)) for one in terms
            ),
            notes=("korean_extractive", "partly_drafted", draw(LONG)),
            questions=draw(WORDS),
        ),
    )


def a_link(ui: Language, link: str = "https://blog.example.com/connection-pools") -> SharedLink:
    return SharedLink(link, Place("discord", "1", "2"), "3", "4", ui=ui)


def form_of(view: render.Layout) -> dict[str, Any]:
    components = view.to_components()  # type: ignore[no-untyped-call]
    return {"components": components, "flags": V2}


def checked(view: render.Layout) -> dict[str, Any]:
    form = form_of(view)
    check_message(form, files=[])
    assert sum(map(width, texts(form))) <= 4000
    return form


def texts(form: dict[str, Any]) -> list[str]:
    return [c["content"] for _, c in walk(form["components"]) if c["type"] == TEXT_DISPLAY]


def is_harmless(raw: str) -> bool:
    """Nothing in escaped text of theirs pings, links, formats or becomes an emoji ("…" is ours)."""
    bare = re.sub(r"\\[^0-9A-Za-z\s]", "", raw)  # what a backslash stands before is only shown
    return not re.search(
        r"[*_~`|<>\[\]#]|:[^\s…]|https?:|^\s*-\s|^\s*\d+\.\s", bare
    ) and not re.search(r"@(everyone|here|[!&]?\d)", raw, re.IGNORECASE)


@settings(deadline=None)
@given(text=LONG, room=st.integers(40, 900))
def test_no_text_of_theirs_does_anything(text: str, room: int) -> None:
    assert is_harmless(escaped(text))
    assert is_harmless(fitted(text, room))
    assert all(is_harmless(piece) for piece in pieces(text, room))


@settings(deadline=None)
@given(text=LONG, room=st.integers(20, 900))
def test_text_keeps_to_its_room_and_says_when_there_is_more(text: str, room: int) -> None:
    short = fitted(text, room)
    assert width(short) <= room
    assert short == escaped(text) or short.endswith("…")


@settings(deadline=None)
@given(text=LONG, room=st.integers(20, 900))
def test_pieces_lose_nothing(text: str, room: int) -> None:
    together = list(pieces(text, room))
    assert all(width(piece) <= room for piece in together)
    assert "".join("".join(together).split()) == "".join(escaped(text).split())


@settings(deadline=None, max_examples=20)
@given(record=records(), ui=st.sampled_from(LANGUAGES), known=st.booleans())
def test_every_digest_keeps_every_limit(record: DigestRecord, ui: Language, known: bool) -> None:
    shown = Ready(record, known=known)
    form = checked(render.layout(shown, a_link(ui), KEY))
    assert links_in(form) == (
        [safe_address(record.article.url)] if safe_address(record.article.url) else []
    )
    embed, buttons = render.as_embed(shown, a_link(ui), KEY)
    check_message({"embeds": [embed.to_dict()], "components": buttons.to_components()}, files=[])


@pytest.mark.parametrize("ui", LANGUAGES)
@pytest.mark.parametrize("text", ["_" * 5000, "🙂 " * 3000])
def test_a_digest_with_every_room_filled_keeps_every_limit(text: str, ui: Language) -> None:
    record = a_record(
        article=a_record().article.model_copy(
            update={"title": text, "site": text, "url": "https://a.example/" + "x" * 490}
        ),
        digest=a_digest(summary=text, keywords=(text,), prerequisites=(text,)),
        details=details(
            model=text,
            notes=(text,) * 5,
            words=10**9,
            factors=tuple(
                Factor(name=name, score=5.0, share=0.5, words=(text,))
                for name in ("concepts", "algorithms")
            ),
        ),
    )
    form = checked(render.layout(Ready(record, known=True), a_link(ui), KEY))
    assert sum(map(width, texts(form))) > 3500


@settings(deadline=None, max_examples=15)
@given(record=records(), ui=st.sampled_from(LANGUAGES), page=st.integers(-1, 30))
def test_every_page_keeps_every_limit_and_together_they_hold_all(
    record: DigestRecord, ui: Language, page: int
) -> None:
    for verb, lines in (
        ("terms", wording.terms(record, ui)),
        ("details", wording.whole(record, ui)),
        ("questions", wording.numbered(record.details.questions)),
    ):
        found = pages.paged(lines)
        if not found:
            continue
        at = Pressed(verb, record.id, KEY, page)  # type: ignore[arg-type]
        checked(pages.turning(found, at, "x", ui))
        shown = "".join("".join(found).split())
        for _, text in lines:
            first = next(pieces(text, 300))
            assert "".join(first.split()) in shown


@pytest.mark.parametrize("ui", LANGUAGES)
@pytest.mark.parametrize(
    "shown",
    [Waiting(), Trouble(SiteUnavailable("x")), Trouble(BadArticle("x", "@everyone " * 900))],
)
def test_short_messages_keep_every_limit_and_link_nothing(shown: Shown, ui: Language) -> None:
    shared = a_link(ui, "https://evil.example/" + "@everyone_" * 300)
    form = checked(render.layout(shown, shared, KEY))
    assert not links_in(form)
    embed, buttons = render.as_embed(shown, shared, KEY)
    check_message({"embeds": [embed.to_dict()], "components": buttons.to_components()}, files=[])


@pytest.mark.parametrize("ui", LANGUAGES)
@pytest.mark.parametrize("shown", [Waiting(), Trouble(SiteUnavailable("x")), Ready(a_record())])
def test_every_message_carries_its_key(shown: Shown, ui: Language) -> None:
    form = form_of(render.layout(shown, a_link(ui), KEY))
    ids = [c["custom_id"] for _, c in walk(form["components"]) if "custom_id" in c]
    keys = [press.delivery for one in ids if (press := pressed(one)) is not None]
    assert keys == [KEY] * len(ids)


def test_a_digest_in_english_shows_all_its_parts() -> None:
    text = visible_text(form_of(render.layout(Ready(a_record()), a_link("en"), KEY)))
    for part in (
        "[Connection pools, measured](https://blog.example.com/connection-pools)",
        "●●●○○ 2.8 / 5 · intermediate",
        "specialist terms 3.0 (connection pool, TLS handshake)",
        "complexity of concepts 2.5 (authentication)",
        "A connection pool keeps database connections open and hands them to requests.",
        "**Keywords** connection pool · latency",
        "**Good to know first** TCP",
        "100% of 97 words read",
        "Terms 1",
        "Questions",
        "Too easy",
        "Too hard",
        "In Korean",
        "Again",
        "Hide",
    ):
        assert part in text


def test_a_digest_in_korean_has_korean_words_around_it() -> None:
    text = visible_text(form_of(render.layout(Ready(a_record(), known=True), a_link("ko"), KEY)))
    for part in (
        "난이도",
        "중급",
        "핵심어",
        "먼저 알아야 할 것",
        "용어 1",
        "너무 쉬워요",
        "전에 만든 요약",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("score", "shown"),
    [(1.0, "●○○○○"), (2.8, "●●●○○"), (3.5, "●●●◐○"), (4.4, "●●●●◐"), (5.0, "●●●●●")],
)
def test_the_meter_shows_half_levels(score: float, shown: str) -> None:
    assert wording.meter(score) == shown


def test_the_bar_has_the_colour_of_the_level() -> None:
    colours = set()
    for score in (1, 2, 3, 4, 5):
        record = a_record(digest=a_digest(difficulty_level=DifficultyLevel.of(score)))
        view = render.layout(Ready(record), a_link("en"), KEY)
        colours.add(form_of(view)["components"][0]["accent_color"])
    assert len(colours) == 5


def labels(view: render.Layout) -> list[list[str]]:
    """What stands on the buttons, row by row."""
    rows = [c for _, c in walk(form_of(view)["components"]) if c["type"] == ROW]
    return [[one.get("label") or one["emoji"]["name"] for one in row["components"]] for row in rows]


def test_a_digest_has_two_rows_of_five_buttons() -> None:
    assert labels(render.layout(Ready(a_record()), a_link("en"), KEY)) == [
        ["Terms 1", "Questions", "Details", "👍", "👎"],
        ["Too easy", "Too hard", "In Korean", "Again", "Hide"],
    ]


def test_without_terms_there_is_no_button_for_them() -> None:
    record = a_record(digest=a_digest(technical_terms=()))
    first, _ = labels(render.layout(Ready(record), a_link("en"), KEY))
    assert first[0] == "Questions"


@pytest.mark.parametrize(
    ("shown", "offered"),
    [
        (Waiting(), ["Hide"]),
        (Trouble(SiteUnavailable("x")), ["Try again", "Hide"]),
        (Trouble(LoginWall("x")), ["Hide"]),
    ],
)
def test_another_try_is_offered_where_it_may_help(shown: Shown, offered: list[str]) -> None:
    assert labels(render.layout(shown, a_link("en"), KEY)) == [offered]
    _, buttons = render.as_embed(shown, a_link("en"), KEY)
    assert [getattr(one, "label", None) for one in buttons.children] == offered


def test_a_refusal_begins_with_a_sign_of_warning() -> None:
    (text,) = texts(form_of(render.layout(Trouble(LoginWall("x")), a_link("ko"), KEY)))
    assert text.startswith("⚠️ 로그인")


def test_every_note_is_a_line_of_its_own_and_no_warning() -> None:
    record = a_record(details=details(notes=("nothing_supported", "partly_drafted")))
    lines = wording.small_print(record, "en", known=False).splitlines()
    assert [line.split()[1] for line in lines] == ["Nothing", "This", "100%"]
    assert "⚠" not in "".join(lines)


@pytest.mark.parametrize("ui", LANGUAGES)
@pytest.mark.parametrize("key", replies.NOTES)
def test_every_note_of_ours_has_room(key: str, ui: Language) -> None:
    record = a_record(details=details(notes=(key,)))
    assert "…" not in wording.small_print(record, ui, known=False)


def test_a_model_is_named_without_its_revision_and_whole_in_the_details() -> None:
    record = a_record(details=details(model="a-model@0123abcd"))
    assert wording.small_print(record, "en", known=False).endswith("a-model")
    assert wording.whole(record, "en")[-1][1].endswith("a-model@0123abcd")


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_settings_panel_shows_what_is_set(ui: Language) -> None:
    profile = ChannelProfile(mode="ask", language="ko", ui="en")
    form = checked(pages.settings(profile, "#articles", ui))
    chosen = [
        option["value"]
        for _, component in walk(form["components"])
        for option in component.get("options", [])
        if option.get("default")
    ]
    assert chosen == ["ask", "ko", "en"]


@pytest.mark.parametrize(
    "custom_id", ["", "x", "sdd:terms", "sdd:unknown:a:b:", "other:terms:a:b:", "sdd:terms:a:b:c:d"]
)
def test_ids_of_others_are_left_alone(custom_id: str) -> None:
    assert pressed(custom_id) is None


def test_an_id_says_what_was_pressed_and_fits() -> None:
    press = Pressed("questions", "0" * 24, KEY, 99)
    assert pressed(press.custom_id) == press
    assert len(press.custom_id) <= 100


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "no link", "https://a.b/" + "x" * 600]
)
def test_a_title_without_a_trustworthy_address_is_no_link(url: str | None) -> None:
    head = a_record().article.model_copy(update={"url": url})
    assert "](" not in wording.heading(a_record(article=head), "en")


def test_an_address_cannot_end_early() -> None:
    assert safe_address("https://a.example/b) [c](https://evil.example/") is None
    assert safe_address("https://a.example/x(y)") == "https://a.example/x%28y%29"


def test_a_text_cut_behind_a_colon_is_still_harmless() -> None:
    assert is_harmless(fitted(":smile: @everyone" * 20, 40))
