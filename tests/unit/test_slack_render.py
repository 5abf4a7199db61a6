"""A digest as Block Kit: what is in it, that Slack takes it, and that nothing in it is alive."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import a_digest, a_record, details
from support.slack_block_rules import (
    block_errors,
    characters_in,
    links_in,
    mentions_in,
    view_errors,
    visible_text,
)

from bot import replies
from bot.chats import Ready, Trouble, Waiting
from bot.slack import pages, render, views
from bot.slack.escaping import escaped, fitted, meter, pieces, width
from bot.slack.naming import Pressed, Verb, pressed, reply_name, reply_parts
from bot.slack.render import digest_blocks, fallback_text
from bot.slack.words import WORDS
from core.article import Language
from core.digest import (
    ArticleHead,
    Details,
    DifficultyLevel,
    Digest,
    DigestRecord,
    Factor,
    TechnicalTerm,
    TermOrigin,
)
from core.errors import FetchTimedOut, LoginWall, SettingsError
from core.links import canonical
from core.places import ChannelProfile, Place, SharedLink

DELIVERY = "d" * 32
LANGUAGES: tuple[Language, ...] = get_args(Language)


def shared(**changes: Any) -> SharedLink:
    given: dict[str, Any] = {
        "link": "https://blog.example.com/connection-pools",
        "place": Place("slack", "T1", "C1"),
        "message": "1700000000.000100",
        "by": "U1",
    }
    return SharedLink(**(given | changes))


def bytes_in(blocks: list[dict[str, Any]]) -> int:
    """The text and the addresses of a message, in bytes of UTF-8."""

    def sizes(value: Any) -> int:
        if isinstance(value, dict):
            own = sum(
                len(value[k].encode()) for k in ("text", "url") if isinstance(value.get(k), str)
            )
            return own + sum(sizes(one) for one in value.values())
        return sum(sizes(one) for one in value) if isinstance(value, list) else 0

    return sizes(blocks)


# --- what is in it


def test_a_digest_shows_all_that_was_promised() -> None:
    seen = visible_text(digest_blocks(a_record(), "en", delivery_id=DELIVERY))
    for words in (
        "Connection pools, measured",
        "blog.example.com",
        "Difficulty",
        "●●●○○ 2.8 / 5 · intermediate",
        "specialist terms 3.0 (connection pool, TLS handshake) · complexity of concepts 2.5 (auth",
        "A connection pool keeps database connections open",
        "connection pool · latency",
        "TCP",
        "Open connections that are reused.",
        "from the article",
        "100% of 97 words read",
        "2 of the model's sentences checked, 1 rejected",
        "1.2 s · test-model",
        "Terms 1",
    ):
        assert words in seen


def test_the_korean_interface_is_korean() -> None:
    seen = visible_text(digest_blocks(a_record(), "ko", delivery_id=DELIVERY))
    for words in ("2.8 / 5 · 중급", "전문 용어 3.0", "핵심어", "용어", "질문", "너무 쉬워요"):
        assert words in seen
    assert "Terms" not in seen


def test_the_title_leads_to_the_article_in_its_one_form() -> None:
    record = a_record(
        article=a_record().article.model_copy(
            update={"url": "https://blog.example.com/post?utm_source=x"}
        )
    )
    assert links_in(digest_blocks(record, "en")) == ["https://blog.example.com/post"]


@pytest.mark.parametrize(
    "url",
    [None, "javascript:alert(1)", "https://u:p@a.example/", "https://a.example/" + "x" * 2000],
)
def test_a_title_without_a_proper_address_is_no_link(url: str | None) -> None:
    record = a_record(article=a_record().article.model_copy(update={"url": url}))
    blocks = digest_blocks(record, "en")
    assert links_in(blocks) == []
    assert "Connection pools, measured" in visible_text(blocks)


@pytest.mark.parametrize(
    ("score", "shown"),
    [(1.0, "●○○○○"), (2.8, "●●●○○"), (3.5, "●●●◐○"), (4.3, "●●●●◐"), (5.0, "●●●●●")],
)
def test_the_meter_counts_halves(score: float, shown: str) -> None:
    assert meter(score) == shown


def test_the_two_strongest_reasons_are_told() -> None:
    factors = (
        Factor(name="terms", score=2.0, share=0.1, words=("weak",)),
        Factor(name="background", score=4.5, share=0.5, words=("strongest",)),
        Factor(name="concepts", score=4.0, share=0.3, words=("second",)),
        Factor(name="algorithms", score=5.0, share=0.0, words=("nothing",)),
    )
    seen = visible_text(digest_blocks(a_record(details=details(factors=factors)), "en"))
    assert seen.index("strongest") < seen.index("second")
    assert "weak" not in seen
    assert "nothing" not in seen


def test_a_digest_known_before_says_so() -> None:
    assert "digested before" in visible_text(digest_blocks(a_record(), "en", known=True))
    assert "digested before" not in visible_text(digest_blocks(a_record(), "en"))


def test_every_note_is_a_line_of_its_own_and_no_warning() -> None:
    record = a_record(details=details(notes=("nothing_supported", "partly_drafted")))
    lines = [
        block["elements"][0]["text"]
        for block in digest_blocks(record, "en")
        if block["type"] == "context"
    ]
    assert [line.split()[0] for line in lines] == ["specialist", "Nothing", "This", "100%"]
    assert "⚠" not in visible_text(digest_blocks(record, "en"))


@pytest.mark.parametrize("ui", LANGUAGES)
@pytest.mark.parametrize("key", replies.NOTES)
def test_every_note_of_ours_has_room(key: str, ui: Language) -> None:
    record = a_record(details=details(notes=(key,)))
    assert replies.note(key, ui) in visible_text(digest_blocks(record, ui))


def test_where_no_sentence_was_checked_none_is_counted() -> None:
    record = a_record(details=details(checked=0, rejected=0, model="a-model@0123abcd"))
    seen = visible_text(digest_blocks(record, "en"))
    assert "100% of 97 words read · 1.2 s · a-model" in seen
    assert "0123abcd" not in seen


def test_a_digest_has_nothing_in_italics() -> None:
    assert "italic" not in json.dumps(digest_blocks(a_record(), "ko"))


def test_every_button_carries_digest_and_delivery() -> None:
    [actions] = [
        one
        for one in digest_blocks(a_record(), "en", delivery_id=DELIVERY)
        if one["type"] == "actions"
    ]
    found = []
    for element in actions["elements"]:
        options = element.get("options")
        found += [pressed(one) for one in options] if options else [pressed(element)]
    assert {one.verb for one in found if one} == set(get_args(Verb))
    assert {(one.digest, one.delivery) for one in found if one} == {(a_record().id, DELIVERY)}


def test_many_terms_wait_behind_the_button() -> None:
    terms = tuple(TechnicalTerm(term=f"term {n}", explanation="What it is.") for n in range(9))
    seen = visible_text(digest_blocks(a_record(digest=a_digest(technical_terms=terms)), "en"))
    assert "term 3" in seen
    assert "term 4" not in seen
    assert "5 more under" in seen


def test_what_does_not_fit_ends_visibly_and_is_told_in_full_under_terms() -> None:
    words = " ".join(f"word{number}" for number in range(2000))
    record = a_record(digest=a_digest(summary=words))
    assert "…" in visible_text(digest_blocks(record, "en"))
    told = whole_text(record, "en")
    assert "".join(words.split()) in told


def test_what_fits_is_not_told_twice_under_terms() -> None:
    assert [one.lead for one in pages.terms(a_record(), "en")] == ["connection pool"]


def test_a_placeholder_and_trouble_name_their_link() -> None:
    for shown in (Waiting(), Trouble(LoginWall("x"))):
        blocks, _ = render.message(shown, shared(), DELIVERY)
        assert "blog.example.com/connection-pools" in visible_text(blocks)
        assert block_errors(blocks) == []


def pressed_in(blocks: list[dict[str, Any]]) -> list[str]:
    [buttons] = [one for one in blocks if one["type"] == "actions"]
    return [one.get("value", one["action_id"]) for one in buttons["elements"]]


def test_trouble_that_may_pass_offers_another_try() -> None:
    blocks, text = render.message(Trouble(FetchTimedOut("x")), shared(), DELIVERY)
    assert "in time" in text
    assert pressed_in(blocks) == [
        Pressed("again", delivery=DELIVERY).value,
        Pressed("hide", delivery=DELIVERY).value,
    ]


def test_trouble_that_stays_can_only_be_hidden() -> None:
    blocks, text = render.message(Trouble(LoginWall("x")), shared(ui="ko"), DELIVERY)
    assert "로그인" in text
    assert "⚠️ 로그인" in visible_text(blocks)
    assert pressed_in(blocks) == [Pressed("hide", delivery=DELIVERY).value]


def test_a_placeholder_can_be_hidden() -> None:
    blocks, _ = render.message(Waiting(), shared(), DELIVERY)
    assert pressed_in(blocks) == [Pressed("hide", delivery=DELIVERY).value]


def test_without_terms_there_is_no_button_for_them() -> None:
    record = a_record(digest=a_digest(technical_terms=()))
    blocks = digest_blocks(record, "en", delivery_id=DELIVERY)
    assert not [one for one in pressed_in(blocks) if one.startswith("terms")]


def test_what_was_cut_can_be_read_where_there_are_no_terms() -> None:
    record = a_record(digest=a_digest(technical_terms=(), summary="word " * 2000))
    blocks = digest_blocks(record, "en", delivery_id=DELIVERY)
    assert pressed_in(blocks)[0] == Pressed("terms", record.id, DELIVERY).value
    assert "The whole digest" in visible_text(blocks)


def test_the_fallback_says_what_it_is_about() -> None:
    text = fallback_text(Ready(a_record()), shared())
    assert text.startswith("Connection pools, measured — difficulty 2.8 of 5 (intermediate).")


@pytest.mark.parametrize("ui", LANGUAGES)
def test_settings_and_home_are_views_that_slack_takes(ui: Language) -> None:
    profile = ChannelProfile("ask", "ko", "en")
    assert view_errors(views.settings_modal(profile, "C1", ui)) == []
    assert view_errors(views.help_modal(ui)) == []
    assert view_errors(views.home_view([], ui)) == []
    assert view_errors(views.home_view([a_record()] * 20, ui)) == []


def test_every_word_exists_in_both_languages_with_the_same_blanks() -> None:
    for key, (korean, english) in WORDS.items():
        assert korean, key
        assert english, key
        blanks = [set(re.findall(r"{(\w+)", words)) for words in (korean, english)]
        assert blanks[0] == blanks[1], key


# --- names


def test_a_press_survives_its_way_through_slack() -> None:
    for named in (
        Pressed("terms", "a" * 24, DELIVERY, 3),
        Pressed("hide", delivery=DELIVERY),
        Pressed("again", "a" * 24),
    ):
        assert pressed({"value": named.value}) == named
        assert pressed({"selected_option": {"value": named.value}}) == named
        assert len(named.value) <= 150


@pytest.mark.parametrize("value", ["", "terms", "unknown:a:b:", "terms:a:b:c:d", None])
def test_what_is_not_ours_is_no_press(value: str | None) -> None:
    assert pressed({"value": value}) is None


def test_a_reply_is_named_by_channel_and_time() -> None:
    assert reply_parts(reply_name("C1", "1.2")) == ("C1", "1.2")


# --- text


@given(st.text(max_size=400), st.integers(8, 60))
def test_pieces_are_the_whole_text_and_fit(words: str, room: int) -> None:
    found = list(pieces(words, room))
    assert all(width(piece) <= room for piece in found)
    flat = "".join(escaped_back(words).split())
    assert "".join("".join(found).split()) == flat


def escaped_back(words: str) -> str:
    return next(pieces(words, 10**9))


@given(st.text(max_size=400), st.integers(8, 60))
def test_fitted_text_fits_and_says_when_there_is_more(words: str, room: int) -> None:
    found = fitted(words, room)
    assert width(found) <= room
    whole = escaped_back(words)
    assert found == whole or found.endswith("…")


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<!channel> <@U123|x> <#C1> <!subteam^S1> <!here|here>",
            "@here @channel @everyone",
            "<https://evil.example|click>",
            "https://evil.example www.evil.example mailto:a@b.c",
            "*bold* _italic_ ~strike~ `code` ```block``` > quote",
            "&lt;!channel&gt; &amp;",
            ":smile: :rotating_light:",
            "한국어 문장은 글자마다 세 바이트입니다. " * 400,
            "a" * 20_000,
            "‮reversed​\x00\x1b[31m",
            "\n\n\n",
            "",
            "👩‍👩‍👧 " * 600,
        ]
    ),
    st.text(max_size=300),
    st.text(alphabet="<>&@!|*_~`:/한글 ", max_size=3000),
)
NAMES = ("terms", "concepts", "background", "algorithms")


@st.composite
def hostile_records(draw: st.DrawFn) -> DigestRecord:
    def texts(most: int) -> tuple[str, ...]:
        return tuple(draw(st.lists(HOSTILE, max_size=most)))

    def factor(name: Any) -> Factor:
        return Factor(
            name=name, score=draw(st.floats(1, 5)), share=draw(st.floats(0, 1)), words=texts(5)
        )

    terms = [
        TechnicalTerm(term=draw(HOSTILE), explanation=draw(HOSTILE))
        for _ in range(draw(st.integers(0, 8)))
    ]
    origins: list[Any] = ["article", "glossary", "model"]
    language = draw(st.sampled_from(LANGUAGES))
    return DigestRecord(
        id="0123456789abcdef01234567",
        article=ArticleHead(
            title=draw(st.none() | HOSTILE),
            url=draw(st.none() | HOSTILE | st.just("https://a.example/" + "한" * 100)),
            site=draw(st.none() | HOSTILE),
            source_type="blog",
            language=language,
        ),
        digest=Digest(
            summary=draw(HOSTILE),
            keywords=texts(12),
            difficulty_level=DifficultyLevel.of(draw(st.floats(1, 5))),
            prerequisites=texts(12),
            technical_terms=tuple(terms),
            processing_time=draw(st.floats(0, 1e9)),
        ),
        details=Details(
            language=language,
            article_language=language,
            model=draw(HOSTILE),
            words=draw(st.integers(0, 10**12)),
            read=draw(st.floats(0, 1)),
            drafted=draw(st.floats(0, 1)),
            parts=1,
            checked=3,
            rejected=1,
            sentences=(),
            factors=tuple(factor(name) for name in NAMES),
            term_origins=tuple(
                TermOrigin(
                    term=one.term,
                    origin=draw(st.sampled_from(origins)),
                    credit=draw(st.none() | HOSTILE),
                )
                for one in terms
            ),
            notes=texts(4),
        ),
    )


def check(blocks: list[dict[str, Any]], own: str | None = None) -> None:
    """Slack takes it whole, and nothing foreign in it is alive."""
    assert block_errors(blocks) == []
    assert bytes_in(blocks) < 10_000
    assert characters_in(blocks) < 10_000
    assert len(json.dumps(blocks, ensure_ascii=False)) < 24_000
    assert mentions_in(blocks) == []
    assert links_in(blocks) in ([], [own])
    for block in blocks:  # what is read as markup is ours: nothing of it here
        assert '"mrkdwn"' not in json.dumps(block)


@settings(max_examples=60, deadline=None)
@given(hostile_records(), st.sampled_from(LANGUAGES), st.booleans())
def test_whatever_a_digest_says_slack_takes_it_and_nothing_in_it_is_alive(
    record: DigestRecord, ui: Language, known: bool
) -> None:
    blocks = digest_blocks(record, ui, known=known, delivery_id=DELIVERY)
    own = links_in(blocks)
    assert own == [] or own == [canonical(record.article.url or "")]
    check(blocks, own[0] if own else None)
    text = fallback_text(Ready(record), shared(ui=ui))
    assert 0 < len(text) < 4000
    assert not re.search(r"<|@\w|://|`(?!\u2060)", text)


@pytest.mark.parametrize("ui", LANGUAGES)
def test_a_digest_with_every_room_filled_is_taken(ui: Language) -> None:
    text = "한국어" * 2000
    record = a_record(
        article=a_record().article.model_copy(
            update={"title": text, "site": text, "url": "https://a.example/" + "x" * 980}
        ),
        digest=a_digest(
            summary=text,
            keywords=(text,),
            prerequisites=(text,),
            technical_terms=(TechnicalTerm(term=text, explanation=text),) * 8,
        ),
        details=details(
            model=text,
            notes=(text,) * 5,
            words=10**12,
            term_origins=(TermOrigin(term=text, origin="glossary", credit=text),),
            factors=tuple(
                Factor(name=name, score=5.0, share=0.5, words=(text,))
                for name in ("concepts", "algorithms")
            ),
        ),
    )
    blocks = digest_blocks(record, ui, known=True, delivery_id=DELIVERY)
    check(blocks, links_in(blocks)[0])
    assert bytes_in(blocks) > 7500  # the rooms are used, not merely kept


def whole_text(record: DigestRecord, ui: Language) -> str:
    """All pages of terms as one text without spaces, headings and buttons left out."""
    found = pages.paged(pages.terms(record, ui))
    told = ""
    for number in range(len(found)):
        at = Pressed("terms", record.id, DELIVERY, number)
        blocks, text = pages.page(found, at, "Terms", ui)
        check(blocks)
        assert text
        told += raw_text(blocks[1:])
    return "".join(told.split())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(hostile_records(), st.sampled_from(LANGUAGES))
def test_every_page_of_terms_is_taken_and_together_they_tell_everything(
    record: DigestRecord, ui: Language
) -> None:
    told = whole_text(record, ui)
    for term in record.digest.technical_terms:
        for words in (term.term, term.explanation):
            assert "".join(escaped_back(words).split()) in told


def raw_text(blocks: list[dict[str, Any]]) -> str:
    """The literal words, in order, without buttons and page numbers."""
    rich = [block for block in blocks if block["type"] == "rich_text"]
    return "".join(
        one["text"] for block in rich for part in block["elements"] for one in part["elements"]
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(hostile_records(), max_size=3), st.sampled_from(LANGUAGES))
def test_a_home_tab_is_taken_whatever_was_shared(found: list[DigestRecord], ui: Language) -> None:
    view = views.home_view(found, ui)
    assert view_errors(view) == []
    assert mentions_in(view["blocks"]) == []


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE)
def test_trouble_is_told_whatever_it_is_about(link: str, reason: str) -> None:
    trouble = Trouble(SettingsError([reason]))
    blocks, text = render.message(trouble, shared(link=link), DELIVERY)
    check(blocks)
    assert len(text) < 4000
    waiting, text = render.message(Waiting(), shared(link=link), DELIVERY)
    check(waiting)
    assert text


@given(HOSTILE)
def test_escaped_text_formats_links_and_calls_nobody(words: str) -> None:
    found = escaped(words)
    assert not re.search(r"[<>]|@\w|&(?!amp;|lt;|gt;)|://|www\.", found)
