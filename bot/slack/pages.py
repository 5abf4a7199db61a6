"""What only one person sees: terms and questions page by page, sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot import replies, telling
from bot.replies import plain
from bot.slack import render
from bot.slack.blocks import (
    Blocks,
    Json,
    actions,
    line,
    press,
    rich,
    section,
    small,
    text,
)
from bot.slack.escaping import escaped, fitted, pieces, width
from bot.slack.naming import Pressed
from bot.slack.words import say
from core.article import Language
from core.digest import DigestRecord

# Bytes of UTF-8. A page has the room of a message, a text element of 3,000 characters its own.
PAGE, PIECE, LEAD = 6000, 2400, 300
PARAGRAPHS = 40  # each is a block, of which a message has 50
_HEADING = 150


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Bold, plain, in parentheses; any of them may be empty."""

    lead: str = ""
    body: str = ""
    tail: str = ""

    @property
    def size(self) -> int:
        return width(self.lead) + width(self.body) + width(self.tail) + 6


def paged(paragraphs: Sequence[Paragraph]) -> list[list[Paragraph]]:
    """All of it, on as many pages as it takes."""
    pages: list[list[Paragraph]] = []
    used = PAGE
    for whole in paragraphs:
        for part in _broken(whole):
            if used + part.size > PAGE or len(pages[-1]) == PARAGRAPHS:
                pages.append([])
                used = 0
            pages[-1].append(part)
            used += part.size
    return pages


def _broken(whole: Paragraph) -> Iterator[Paragraph]:
    """In parts that fit into a text element each; nothing of it is lost."""
    lead, body, tail = plain(whole.lead), plain(whole.body), plain(whole.tail)
    if width(lead) > LEAD:
        lead, body = "", f"{lead} — {body}"
    if width(tail) > LEAD:
        body, tail = f"{body} ({tail})", ""
    parts = list(pieces(body, PIECE))
    for number, part in enumerate(parts):
        found = Paragraph(
            lead if number == 0 else "", part, tail if number == len(parts) - 1 else ""
        )
        if found.lead or found.body or found.tail:
            yield found


def page(
    pages: Sequence[Sequence[Paragraph]], at: Pressed, heading: str, ui: Language
) -> tuple[Blocks, str]:
    """One of the pages, and buttons to the ones beside it. A number out of range is the nearest."""
    number = min(max(at.page or 0, 0), len(pages) - 1)
    head = fitted(heading, _HEADING)
    blocks: Blocks = [rich(line(text(head, bold=True)))]
    blocks += [rich(_section(one)) for one in pages[number]]
    if len(pages) > 1:
        blocks.append(small(say("page", ui, page=number + 1, pages=len(pages))))
        blocks.append(actions(*_turns(at, number, len(pages), ui)))
    return blocks, escaped(head)


def _section(one: Paragraph) -> Json:
    elements = []
    if one.lead:
        elements.append(text(one.lead, bold=True))
    if one.body:
        elements.append(text(f" — {one.body}" if one.lead else one.body))
    if one.tail:
        elements.append(text(f" ({one.tail})"))
    return line(*elements)


def _turns(at: Pressed, number: int, count: int, ui: Language) -> Iterator[Json]:
    for to, label in ((number - 1, "button.back"), (number + 1, "button.next")):
        if 0 <= to < count:
            yield press(Pressed(at.verb, at.digest, at.delivery, to), say(label, ui))


# --- what there is to tell


def terms(record: DigestRecord, ui: Language) -> list[Paragraph]:
    """The terms, and where the message had no room for something, all of the digest."""
    origins = {one.term: one for one in record.details.term_origins}
    told = []
    for term in record.digest.technical_terms:
        origin = origins.get(term.term)
        said = replies.say(f"term.{origin.origin}", ui) if origin else ""
        if origin and origin.credit:
            said = f"{said}, {origin.credit}"
        told.append(Paragraph(term.term, term.explanation, said))
    return [*told, *(whole(record, ui) if render.is_cut(render.digest_blocks(record, ui)) else ())]


def whole(record: DigestRecord, ui: Language) -> Iterator[Paragraph]:
    """Everything else that a digest says; nothing is cut."""
    digest, details = record.digest, record.details
    title = telling.title(record, ui)
    yield Paragraph(say("whole", ui), title, record.article.site or "")
    yield Paragraph(replies.say("summary", ui), digest.summary)
    if details.reason:
        yield Paragraph(replies.say("difficulty.model", ui), details.reason)
    for factor in details.factors:
        named = f"{replies.factor(factor.name, ui)} {factor.score:.1f}"
        yield Paragraph(named, ", ".join(factor.words))
    for key, found in (("keywords", digest.keywords), ("prerequisites", digest.prerequisites)):
        if found:
            yield Paragraph(replies.say(key, ui), " · ".join(found))
    for key in details.notes:
        yield Paragraph(body=replies.note(key, ui))
    yield Paragraph(body=details.model)


def questions(found: Sequence[str]) -> list[Paragraph]:
    return [Paragraph(body=f"{number}. {asked}") for number, asked in enumerate(found, start=1)]


def notice(sentence: str) -> tuple[Blocks, str]:
    """Sentences of ours."""
    return [section(sentence)], sentence
