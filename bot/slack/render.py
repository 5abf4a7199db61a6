"""How a delivery looks on Slack: Block Kit and a line of text, pure functions of what is shown.

A whole message stays under 10,000 bytes: Slack refuses one of some 11,000 to 13,000 characters
(`msg_blocks_too_long`). Every part has a room of its own, so the sum is kept by construction;
what does not fit ends with "…" and is told in full under the button for terms (`pages.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from bot import replies
from bot.chats import Ready, Shown, Trouble, Waiting
from bot.replies import plain
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
from bot.slack.escaping import address, escaped, fitted, width
from bot.slack.naming import MORE, Pressed, Verb
from bot.slack.words import say
from core.article import Language
from core.digest import DigestRecord, Factor, TechnicalTerm
from core.places import SharedLink

# Rooms in bytes of UTF-8; with labels, an address of 1,000 and the buttons under 10,000.
TITLE, SITE, REASON, SUMMARY = 450, 120, 240, 2100
KEYWORDS, PREREQUISITES = 500, 400
TERMS, TERM, EXPLANATION, ORIGIN = 2000, 120, 600, 160
NOTES, COVERAGE, MODEL, TROUBLE, LINK = 600, 600, 120, 1500, 300
STRONGEST, SHOWN_TERMS = 2, 4


def message(shown: Shown, shared: SharedLink, key: str) -> tuple[Blocks, str]:
    """The blocks and the fallback text of an answer; `key` is the delivery's."""
    match shown:
        case Waiting():
            return waiting_blocks(shared), fallback_text(shown, shared)
        case Ready(record, known):
            blocks = digest_blocks(record, shared.ui, known=known, delivery_id=key)
            return blocks, fallback_text(shown, shared)
        case Trouble():
            return trouble_blocks(shown, shared, key), fallback_text(shown, shared)
        case _:
            assert_never(shown)


def fallback_text(shown: Shown, shared: SharedLink) -> str:
    """For notifications and screen readers: one line, escaped, under 2,000 characters."""
    ui = shared.ui
    match shown:
        case Waiting():
            return escaped(say("waiting", ui, site=_site(shared.link)))
        case Trouble(error):
            return escaped(fitted(replies.sentence(error, ui), TROUBLE))
        case Ready(record, _):
            level = record.digest.difficulty_level
            words = say(
                "fallback",
                ui,
                title=fitted(_title(record, ui), 200),
                score=level.score,
                label=replies.label(level.label, ui),
                summary=fitted(record.digest.summary, 300),
            )
            return escaped(words)
        case _:
            assert_never(shown)


def waiting_blocks(shared: SharedLink) -> Blocks:
    words = f"🔎 {replies.say('stage.reading', shared.ui)}… "
    return [rich(line(text(words), text(_site(shared.link), italic=True)))]


def trouble_blocks(shown: Trouble, shared: SharedLink, key: str) -> Blocks:
    ui = shared.ui
    said = fitted(replies.sentence(shown.error, ui), TROUBLE)
    return [
        rich(line(text(f"⚠ {said}"))),
        small(_site(shared.link)),
        actions(
            press(Pressed("again", delivery=key), say("button.retry", ui)),
            press(Pressed("hide", delivery=key), say("button.hide", ui)),
        ),
    ]


# --- the digest


def digest_blocks(
    record: DigestRecord, ui: Language, *, known: bool = False, delivery_id: str = ""
) -> Blocks:
    return [
        rich(*_head(record, ui)),
        {"type": "divider"},
        rich(line(text(fitted(record.digest.summary, SUMMARY) or "…"))),
        *_words(record, ui),
        *_terms(record, ui),
        *_small_print(record, ui, known=known),
        _buttons(record, ui, delivery_id),
    ]


def _head(record: DigestRecord, ui: Language) -> Iterator[Json]:
    """Title and site, then the difficulty with what made it so."""
    yield line(*_heading(record, ui), text("\n"), *_level(record, ui))
    reasons = [line(*_reason(factor, ui)) for factor in strongest(record.details.factors)]
    if reasons:
        yield bullets(reasons)


def _heading(record: DigestRecord, ui: Language) -> Iterator[Json]:
    title, url = fitted(_title(record, ui), TITLE), address(record.article.url)
    yield text(title, bold=True) if url is None else link(url, title, bold=True)
    site = fitted(record.article.site or "", SITE)
    if site:
        yield text(f"  {site}", italic=True)


def _title(record: DigestRecord, ui: Language) -> str:
    return plain(record.article.title or "") or replies.say("untitled", ui)


def _level(record: DigestRecord, ui: Language) -> Iterator[Json]:
    level = record.digest.difficulty_level
    yield text(f"{meter(level.score)} ")
    yield text(say("level", ui, score=level.score, label=replies.label(level.label, ui)), bold=True)


def meter(score: float) -> str:
    """Five circles, halves included: 3.5 is ●●●◐○."""
    halves = round(score * 2)
    full, half = divmod(halves, 2)
    return "●" * full + "◐" * half + "○" * (5 - full - half)


def strongest(factors: Sequence[Factor]) -> list[Factor]:
    """The ones that made it as hard as it is."""
    return sorted(factors, key=lambda one: one.score * one.share, reverse=True)[:STRONGEST]


def _reason(factor: Factor, ui: Language) -> Iterator[Json]:
    yield text(f"{replies.factor(factor.name, ui)} {factor.score:.1f}")
    words = ", ".join(filter(None, map(plain, factor.words)))
    if words:
        yield text(f" — {fitted(words, REASON)}", italic=True)


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
        shown.append(text(f" ({fitted(origin, ORIGIN)})", italic=True))
    return shown


def _listed(lines: Sequence[Json], left: int, ui: Language) -> Iterator[Json]:
    if lines:
        yield bullets(lines)
    if left:
        yield line(text(say("more_terms", ui, count=left), italic=True))


def _small_print(record: DigestRecord, ui: Language, *, known: bool) -> Iterator[Json]:
    notes = " ".join(replies.note(key, ui) for key in record.details.notes)
    if plain(notes):
        yield small(f"⚠ {fitted(notes, NOTES)}")
    again = f"{say('known', ui)} · " if known else ""
    yield small(fitted(again + coverage(record, ui), COVERAGE))


def coverage(record: DigestRecord, ui: Language) -> str:
    """How much was read and checked, how long it took and who wrote it."""
    details = record.details
    return replies.say(
        "coverage",
        ui,
        words=details.words,
        read=details.read,
        drafted=details.drafted,
        checked=details.checked,
        rejected=details.rejected,
        seconds=record.digest.processing_time,
        model=fitted(details.model, MODEL),
    )


def _site(shared_link: str) -> str:
    """Which of several links this is about."""
    return fitted(shared_link.split("://", 1)[-1], LINK) or "…"


# --- buttons


def _buttons(record: DigestRecord, ui: Language, delivery_id: str) -> Json:
    def named(verb: Verb) -> Pressed:
        return Pressed(verb, record.id, delivery_id)

    terms = say("button.terms", ui, count=len(record.digest.technical_terms))
    other = "button.in_english" if record.details.language == "ko" else "button.in_korean"
    return actions(
        press(named("terms"), terms),
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
