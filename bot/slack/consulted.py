"""Explanations, answers and searches as Block Kit: pure functions of what was found.

Articles' words and titles stand in rich text, which Slack takes literally. Rooms are in bytes of
UTF-8; a whole message stays under 10,000 of them, as in `render.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from bot import consulting_words
from bot.consulting_words import origin, title
from bot.replies import plain
from bot.slack.blocks import Blocks, Json, actions, bullets, button, line, link, rich, small, text
from bot.slack.escaping import address, escaped, fitted, width
from bot.slack.naming import SHARE
from bot.slack.words import say
from core.article import Language
from core.explaining import Explanation, Unknown
from core.judging.explanations import Source
from core.library import Hit
from core.retrieval.answering import Answer, NotRead

EXPLAIN = "sdd:explain"  # and a number; its value is a term
SHARE_ANSWER = "sdd:share_answer"  # its value is a question

NAME, NAMES, SAID, QUESTION, SENTENCE, TITLE, LINE = 240, 300, 1300, 450, 1300, 300, 300
_LINK = 350  # a longer address is left out: it counts towards the message
_LABEL, _VALUE = 60, 300
_OFFERED = 4  # terms of a kind offered as buttons
SHOWN_HITS, SNIPPET = 6, 420
_QUESTION_KEPT = 1800  # of the 2000 characters of a button's value

Shown = tuple[Blocks, str]


def explained(found: Explanation, ui: Language, *, shared: bool = False) -> Shown:
    """`shared`: for everybody, without buttons."""
    term = fitted(found.term, NAME) or "…"
    blocks: Blocks = [rich(line(text(term, bold=True)))]
    if found.names:
        blocks.append(small(fitted(consulting_words.names(found.names, ui), NAMES)))
    said = [
        line(
            text(fitted(one.text, SAID) or "…"),
            text("\n— "),
            *_who(origin(one, ui), one.article, ui),
        )
        for one in found.said
    ] or [line(text(fitted(found.explanation, SAID) or "…"))]
    blocks += [rich(one) for one in said]
    if found.easiest is not None:
        blocks.append(rich(line(*_easiest(found, ui))))
    if not shared:
        blocks += _offers(found, ui)
    # A term of nothing that can be seen has no button: Slack refuses one without a value.
    if not shared and (asked := fitted(found.term, _VALUE)):
        blocks.append(actions(button(SHARE, say("button.share", ui), asked)))
    return blocks, escaped(fitted(f"{found.term}: {found.explanation}", LINE))


def _who(said: str, source: Source | None, ui: Language) -> Iterator[Json]:
    yield text(fitted(said, LINE))
    if source is not None:
        yield text(" · ")
        yield _titled(source.title, source.link, ui)


def _titled(name: str | None, url: str | None, ui: Language) -> Json:
    shown = fitted(title(name, url, ui), TITLE) or consulting_words.say("untitled", ui)
    found = address(url)
    if found is None or width(found) > _LINK:
        return text(shown)
    return link(found, shown)


def _easiest(found: Explanation, ui: Language) -> Iterator[Json]:
    easiest = found.easiest
    if easiest is None:
        return
    yield text(f"{consulting_words.say('easiest', ui)}: ")
    yield _titled(easiest.title, easiest.link, ui)
    yield text(f" ({consulting_words.level(easiest, ui)})")


def _offers(found: Explanation, ui: Language) -> Iterator[Json]:
    number = 0
    for key, offered in (("senses", found.senses), ("related", found.related)):
        shown = [one for one in offered if fitted(one, _LABEL)][:_OFFERED]
        if shown:
            yield small(consulting_words.say(key, ui))
            yield _terms(shown, number)
            number += len(shown)


def _terms(offered: Sequence[str], first: int) -> Json:
    return actions(
        *(
            button(f"{EXPLAIN}:{number}", fitted(one, _LABEL), fitted(one, _VALUE))
            for number, one in enumerate(offered, start=first)
        )
    )


def unknown(found: Unknown, ui: Language) -> Shown:
    said = consulting_words.say("unknown_term", ui, term=fitted(found.term, NAME))
    blocks: Blocks = [rich(line(text(said)))]
    near = [one for one in found.near if fitted(one, _LABEL)][:_OFFERED]
    if near:
        blocks += [small(consulting_words.say("near", ui)), _terms(near, 0)]
    return blocks, escaped(said)


def offered(terms: Sequence[str], ui: Language) -> Shown:
    """Somebody asked for no term; some that can be explained here."""
    said = consulting_words.say("which_term", ui, command="/explain")
    shown = [one for one in terms if fitted(one, _LABEL)][:5]
    return [rich(line(text(said))), *([_terms(shown, 0)] if shown else [])], escaped(said)


# --- answers


def answered(
    found: Answer | NotRead,
    ui: Language,
    *,
    asked: str,
    where: Literal["private", "shared", "thread"] = "private",
) -> Shown:
    """`asked`: the question as it was written. In a thread it stands above already."""
    blocks: Blocks = []
    if where != "thread":
        blocks.append(rich(line(text(f"❓ {fitted(asked, QUESTION)}", bold=True))))
    if isinstance(found, NotRead):
        return [*blocks, *_not_read(found, ui)], escaped(consulting_words.say("not_read", ui))
    blocks += [
        rich(line(text(fitted(one.text, SENTENCE)), text(_marks(one.cited))))
        for one in found.sentences
    ]
    sources = [
        line(text(f"[{one.number}] "), _titled(one.title, one.link, ui)) for one in found.citations
    ]
    blocks.append(rich(line(text(consulting_words.say("sources", ui), bold=True)), *sources))
    kinds = {one.origin for one in found.sentences}
    written = consulting_words.say("written" if "model" in kinds else "own_words", ui)
    small_print = f"{written} · {consulting_words.say('checked', ui)}"
    if where == "thread":
        small_print += f" {consulting_words.say('follow_up', ui)}"
    blocks.append(small(fitted(small_print, 600)))
    # as it was understood, with the question before it: the same answer is found again
    if where == "private" and 0 < len(plain(found.question)) <= _QUESTION_KEPT:
        share = button(SHARE_ANSWER, say("button.share", ui), plain(found.question))
        blocks.append(actions(share))
    return blocks, escaped(fitted(" ".join(one.text for one in found.sentences), LINE))


def _marks(cited: Sequence[int]) -> str:
    return "".join(f" [{number}]" for number in cited)


def _not_read(found: NotRead, ui: Language) -> Iterator[Json]:
    yield rich(line(text(consulting_words.say("not_read", ui))))
    if found.near:
        yield small(consulting_words.say("closest", ui))
        yield rich(bullets(line(_titled(one.title, one.link, ui)) for one in found.near))


# --- searches


def hits(found: Sequence[Hit], query: str, ui: Language) -> Shown:
    if not found:
        said = consulting_words.say("found_nothing", ui, query=fitted(query, NAME) or "…")
        return [rich(line(text(said)))], escaped(said)
    key = "found" if plain(query) else "newest"
    said = consulting_words.say(key, ui, query=fitted(query, NAME))
    blocks: Blocks = [rich(line(text(said, bold=True)))]
    blocks += [rich(_hit(one, ui)) for one in found[:SHOWN_HITS]]
    return blocks, escaped(said)


def _hit(one: Hit, ui: Language) -> Json:
    beside = [plain(one.site or ""), consulting_words.level(one, ui), f"{one.digested_at:%Y-%m-%d}"]
    return line(
        _titled(one.title, one.link, ui),
        text(f"\n{fitted(' · '.join(filter(None, beside)), LINE)}"),
        text(f"\n{fitted(one.text, SNIPPET) or '…'}"),
    )
