"""How a delivery looks on Slack: Block Kit and a line of text, pure functions of what is shown.

A whole message stays under 10,000 bytes: Slack refuses one of some 11,000 to 13,000 characters
(`msg_blocks_too_long`). Every part has a room of its own, so the sum is kept by construction;
what does not fit ends with "…" and is told in full under the button for terms (`pages.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from bot import replies, telling
from bot.chats import Answer, GivenUp, Morning, NothingNew, Ready, Shown, Trouble, Waiting
from bot.replies import plain
from bot.slack import mornings
from bot.slack.blocks import (
    Blocks,
    Json,
    actions,
    bullets,
    line,
    link,
    overflow,
    press,
    rich,
    small,
    text,
)
from bot.slack.escaping import MARK, address, escaped, fitted, meter, width
from bot.slack.naming import MORE, Pressed, Verb
from bot.slack.words import say
from core.article import Language
from core.digest import DigestRecord, Factor, TechnicalTerm
from core.places import SharedLink

# Rooms in bytes of UTF-8; with labels, an address of 1,000 and the buttons under 10,000.
TITLE, SITE, REASON, SUMMARY = 450, 120, 240, 2100
KEYWORDS, PREREQUISITES = 500, 400
TERMS, TERM, EXPLANATION, ORIGIN = 2000, 120, 600, 160
NOTE, COVERAGE, MODEL, TROUBLE, LINK = 200, 600, 120, 1500, 330
SHOWN_NOTES, SHOWN_TERMS = 3, 4


def message(shown: Shown, shared: SharedLink, key: str) -> tuple[Blocks, str]:
    """The blocks and the fallback text of an answer; `key` is the delivery's."""
    match shown:
        case Morning() | NothingNew() | GivenUp():
            return mornings.message(shown, shared.ui)
        case Waiting():
            return waiting_blocks(shared, key), fallback_text(shown, shared)
        case Ready(record, known):
            blocks = digest_blocks(record, shared.ui, known=known, delivery_id=key)
            return blocks, fallback_text(shown, shared)
        case Trouble():
            return trouble_blocks(shown, shared, key), fallback_text(shown, shared)
        case _:
            assert_never(shown)


def fallback_text(shown: Answer, shared: SharedLink) -> str:
    """For notifications and screen readers: one line, escaped, under 2,000 characters."""
    ui = shared.ui
    match shown:
        case Waiting():
            return escaped(say("waiting", ui, site=_address(shared.link)))
        case Trouble(error):
            return escaped(fitted(replies.sentence(error, ui), TROUBLE))
        case Ready(record, _):
            level = record.digest.difficulty_level
            words = say(
                "fallback",
                ui,
                title=fitted(telling.title(record, ui), 200),
                score=level.score,
                label=replies.label(level.label, ui),
                summary=fitted(record.digest.summary, 300),
            )
            return escaped(words)
        case _:
            assert_never(shown)


def waiting_blocks(shared: SharedLink, key: str) -> Blocks:
    words = f"🔎 {replies.say('stage.reading', shared.ui)}…"
    return _short(words, shared, [_hide(key, shared.ui)])


def trouble_blocks(shown: Trouble, shared: SharedLink, key: str) -> Blocks:
    """Another try is offered only where it may end otherwise."""
    said = fitted(replies.sentence(shown.error, shared.ui), TROUBLE)
    again = press(Pressed("again", delivery=key), say("button.retry", shared.ui))
    tries = [again] if shown.error.retryable else []
    return _short(f"⚠️ {said}", shared, [*tries, _hide(key, shared.ui)])


def _short(words: str, shared: SharedLink, buttons: Sequence[Json]) -> Blocks:
    return [rich(line(text(words))), small(_address(shared.link)), actions(*buttons)]


def _hide(key: str, ui: Language) -> Json:
    return press(Pressed("hide", delivery=key), say("button.hide", ui))


# --- the digest


def digest_blocks(
    record: DigestRecord, ui: Language, *, known: bool = False, delivery_id: str = ""
) -> Blocks:
    body = [
        *_head(record, ui),
        {"type": "divider"},
        rich(line(text(fitted(record.digest.summary, SUMMARY) or "…"))),
        {"type": "divider"},
        *_words(record, ui),
        *_terms(record, ui),
        *_small_print(record, ui, known=known),
    ]
    return [*body, _buttons(record, ui, delivery_id, cut=is_cut(body))]


def is_cut(value: object) -> bool:
    """Some text in these blocks ends before its end, alone or in parentheses."""
    if isinstance(value, dict):
        words = value.get("text")
        ends = isinstance(words, str) and (words.endswith(MARK) or f"{MARK})" in words)
        return ends or any(map(is_cut, value.values()))
    return isinstance(value, list) and any(map(is_cut, value))


def _head(record: DigestRecord, ui: Language) -> Iterator[Json]:
    """Title and site, then the difficulty with what made it so."""
    yield rich(line(*_heading(record, ui), text("\n"), *_level(record, ui)))
    factors = telling.strongest(record.details.factors, record.digest.difficulty_level.score)
    told = fitted(record.details.reason, REASON)
    if told:
        yield small(told)
    elif factors:
        yield small(" · ".join(_reason(factor, ui) for factor in factors))


def _heading(record: DigestRecord, ui: Language) -> Iterator[Json]:
    title, url = fitted(telling.title(record, ui), TITLE), address(record.article.url)
    yield text(title, bold=True) if url is None else link(url, title, bold=True)
    site = fitted(record.article.site or "", SITE)
    if site:
        yield text(f"  {site}")


def _level(record: DigestRecord, ui: Language) -> Iterator[Json]:
    level = record.digest.difficulty_level
    said = say("level", ui, score=level.score, label=replies.label(level.label, ui))
    yield text(replies.say("difficulty", ui), bold=True)
    yield text(f"  {meter(level.score)} {said}")


def _reason(factor: Factor, ui: Language) -> str:
    named = f"{replies.factor(factor.name, ui)} {factor.score:.1f}"
    words = ", ".join(filter(None, map(plain, factor.words)))
    return f"{named} ({fitted(words, REASON)})" if words else named


def _words(record: DigestRecord, ui: Language) -> Iterator[Json]:
    """Keywords and prerequisites, a line each, as far as there are any."""
    elements: list[Json] = []
    for key, room, found in (
        ("keywords", KEYWORDS, record.digest.keywords),
        ("prerequisites", PREREQUISITES, record.digest.prerequisites),
    ):
        kept = " · ".join(filter(None, map(plain, found)))
        if kept:
            before = "\n" if elements else ""
            elements.append(text(f"{before}{replies.say(key, ui)}  ", bold=True))
            elements.append(text(fitted(kept, room)))
    if elements:
        yield rich(line(*elements))


def _terms(record: DigestRecord, ui: Language) -> Iterator[Json]:
    origins = {one.term: one for one in record.details.term_origins}
    lines: list[Json] = []
    room, left = TERMS, 0
    for term in record.digest.technical_terms:
        origin = origins.get(term.term)
        words = replies.say(f"term.{origin.origin}", ui) if origin else ""
        if origin and origin.credit:
            words = f"{words}, {plain(origin.credit)}"
        elements = term_line(term, words)
        size = sum(width(one["text"]) for one in elements)
        if len(lines) == SHOWN_TERMS or size > room or left:
            left += 1
            continue
        room -= size
        lines.append(line(*elements))
    if lines or left:
        yield rich(line(text(replies.say("terms", ui), bold=True)), *_listed(lines, left, ui))


def term_line(term: TechnicalTerm, origin: str) -> list[Json]:
    explained = fitted(term.explanation, EXPLANATION)
    shown = [text(fitted(term.term, TERM) or "…", bold=True)]
    if explained:
        shown.append(text(f" — {explained}"))
    if origin:
        shown.append(text(f" ({fitted(origin, ORIGIN)})"))
    return shown


def _listed(lines: Sequence[Json], left: int, ui: Language) -> Iterator[Json]:
    if lines:
        yield bullets(lines)
    if left:
        yield line(text(say("more_terms", ui, count=left)))


def _small_print(record: DigestRecord, ui: Language, *, known: bool) -> Iterator[Json]:
    for said in _notes(record, ui):
        yield small(said)
    again = f"{say('known', ui)} · " if known else ""
    yield small(fitted(again + coverage(record, ui), COVERAGE))


def _notes(record: DigestRecord, ui: Language) -> list[str]:
    told = (fitted(replies.note(key, ui), NOTE) for key in record.details.notes)
    return list(filter(None, told))[:SHOWN_NOTES]


def coverage(record: DigestRecord, ui: Language) -> str:
    return telling.coverage(record, ui, fitted(telling.model_name(record), MODEL))


def _address(shared_link: str) -> str:
    return fitted(telling.address(shared_link), LINK) or MARK


# --- buttons


def _buttons(record: DigestRecord, ui: Language, delivery_id: str, *, cut: bool) -> Json:
    def named(verb: Verb) -> Pressed:
        return Pressed(verb, record.id, delivery_id)

    count = len(record.digest.technical_terms)
    # What was cut is told in full behind the same button.
    terms = say("button.terms", ui, count=count) if count else say("whole", ui)
    other = "button.in_english" if record.details.language == "ko" else "button.in_korean"
    return actions(
        *([press(named("terms"), terms)] if count or cut else []),
        press(named("questions"), say("button.questions", ui)),
        press(named("too_easy"), say("button.too_easy", ui)),
        press(named("too_hard"), say("button.too_hard", ui)),
        press(named("good"), "👍", spoken=say("button.good", ui)),
        press(named("bad"), "👎", spoken=say("button.bad", ui)),
        overflow(
            MORE,
            [
                (say(other, ui), named("language").value),
                (say("button.again", ui), named("again").value),
                (say("button.hide", ui), named("hide").value),
            ],
        ),
    )
