"""The lines of a digest, as Discord's Markdown: text only, whatever carries it.

Each line has its room, and all rooms together are less than a message may hold, so nothing
needs to be measured afterwards. What does not fit ends with "…"; the button Details has it whole.
"""

from __future__ import annotations

from bot import replies, telling
from bot.discord.escaping import MARK, fitted, linked
from bot.discord.words import say
from core.article import Language
from core.digest import DigestRecord, Factor

# Discord: 4000 characters over all text displays of a message. These rooms (UTF-16 units) and the
# fixed words around them make at most 3,900; tests/unit/test_discord_render.py tries to exceed it.
TITLE, HEAD, LEVEL, REASONS = 740, 160, 140, 260
SUMMARY, KEYWORDS, PREREQUISITES = 1300, 300, 300
NOTE, SHOWN_NOTES, CONTEXT = 125, 3, 240
METER = 5


def heading(record: DigestRecord, ui: Language) -> str:
    head = record.article
    known = [head.site, head.author, head.publish_date]
    line = fitted(" · ".join(part for part in known if part), HEAD)
    return f"### {linked(telling.title(record, ui), head.url, TITLE)}" + (
        f"\n-# {line}" if line else ""
    )


def difficulty(record: DigestRecord, ui: Language) -> str:
    level = record.digest.difficulty_level
    label = replies.label(level.label, ui)
    shown = say("level", ui, score=level.score, label=label)
    line = f"**{replies.say('difficulty', ui)}** {meter(level.score)} {shown}"
    factors = telling.strongest(record.details.factors, level.score)
    told = record.details.reason
    reasons = told or " · ".join(reason(factor, ui) for factor in factors)
    return line + (f"\n-# {fitted(reasons, REASONS)}" if reasons else "")


def meter(score: float) -> str:
    """Five circles: ●●●◐○ for 3.5."""
    halves = min(2 * METER, max(1, round(score * 2)))
    full, half = divmod(halves, 2)
    return "●" * full + "◐" * half + "○" * (METER - full - half)


def reason(factor: Factor, ui: Language) -> str:
    words = ", ".join(factor.words)
    return f"{replies.factor(factor.name, ui)} {factor.score:.1f}" + (
        f" ({words})" if words else ""
    )


def summary(record: DigestRecord) -> str:
    return fitted(record.digest.summary, SUMMARY)


def words(record: DigestRecord, ui: Language) -> str:
    """Keywords and prerequisites, as far as there are any."""
    lines = []
    for key, room, found in (
        ("keywords", KEYWORDS, record.digest.keywords),
        ("prerequisites", PREREQUISITES, record.digest.prerequisites),
    ):
        if found:
            lines.append(f"**{replies.say(key, ui)}** {fitted(' · '.join(found), room)}")
    return "\n".join(lines)


def small_print(record: DigestRecord, ui: Language, *, known: bool) -> str:
    notes = (fitted(replies.note(key, ui), NOTE) for key in record.details.notes)
    again = f"{say('known', ui)} · " if known else ""
    lines = [*filter(None, notes)][:SHOWN_NOTES]
    lines.append(fitted(again + coverage(record, ui), CONTEXT))
    return "\n".join(f"-# {line}" for line in lines)


def coverage(record: DigestRecord, ui: Language) -> str:
    return telling.coverage(record, ui, telling.model_name(record))


# --- whole, for pages that are turned


def whole(record: DigestRecord, ui: Language) -> list[tuple[str, str]]:
    """Everything a digest says, as (what stands before it, raw text); nothing is cut."""
    details = record.details
    lines = [("### ", telling.title(record, ui))]
    lines += [("", record.digest.summary)]
    lines += [("-# ", say("source", ui, text=one.source)) for one in details.sentences]
    if details.reason:
        lines.append(("- ", f"{replies.say('difficulty.model', ui)}: {details.reason}"))
    lines += [("- ", reason(factor, ui)) for factor in details.factors]
    for key, found in (
        ("keywords", record.digest.keywords),
        ("prerequisites", record.digest.prerequisites),
    ):
        if found:
            lines.append((f"**{replies.say(key, ui)}** ", " · ".join(found)))
    lines += [("-# ", replies.note(key, ui)) for key in details.notes]
    return [*lines, ("-# ", telling.coverage(record, ui, details.model))]


def terms(record: DigestRecord, ui: Language) -> list[tuple[str, str]]:
    origins = {origin.term: origin for origin in record.details.term_origins}
    lines = []
    for term in record.digest.technical_terms:
        lines.append(("**❯** ", f"{term.term} — {term.explanation}"))
        origin = origins.get(term.term)
        if origin is not None:
            credit = f", {origin.credit}" if origin.credit else ""
            lines.append(("-# ", replies.say(f"term.{origin.origin}", ui) + credit))
    return lines


def numbered(questions: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"{number}. ", text) for number, text in enumerate(questions, start=1)]


def address(link: str, room: int = 200) -> str:
    """Which of several links this is about."""
    return fitted(telling.address(link), room) or MARK
