"""How a digest looks in a terminal. Pure functions from a record to something rich can print.

Every text goes through `replies.plain` into a `Text`: a page can neither move the cursor nor
be taken for markup.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot import replies, telling
from core.article import Language
from core.digest import DigestRecord, Factor, SummarySentence, TermOrigin

COLOURS = {
    "beginner": "green",
    "elementary": "green",
    "intermediate": "yellow",
    "advanced": "dark_orange",
    "expert": "red",
}
METER = 20


def digest_view(record: DigestRecord, ui: Language) -> RenderableType:
    """The whole digest, with labels in the language of the person."""
    return Group(*_parts(record, ui))


def _parts(record: DigestRecord, ui: Language) -> Iterator[RenderableType]:
    yield _head(record, ui)
    yield _difficulty(record, ui)
    yield from _section("summary", ui, _summary(record.details.sentences, ui))
    yield from _section("keywords", ui, _joined(record.digest.keywords))
    yield from _section("prerequisites", ui, _joined(record.digest.prerequisites))
    yield from _section("terms", ui, _terms(record, ui))
    numbered = enumerate(record.details.questions, start=1)
    yield from _section("questions", ui, [_text(f"{n}. {text}") for n, text in numbered])
    yield Text()
    for key in record.details.notes:
        yield Text(f"! {replies.note(key, ui)}", style="yellow")
    yield _coverage(record, ui)


def _head(record: DigestRecord, ui: Language) -> RenderableType:
    head = record.article
    title = _text(head.title or replies.say("untitled", ui), "bold")
    known = [head.site, head.author, head.publish_date, head.source_type]
    lines: list[RenderableType] = [
        Rule(style="dim"),
        title,
        _text(" · ".join(part for part in known if part), "dim"),
    ]
    if head.url:
        lines.append(_text(head.url, "dim cyan"))
    return Group(*lines)


def _difficulty(record: DigestRecord, ui: Language) -> RenderableType:
    level = record.digest.difficulty_level
    colour = COLOURS[level.label]
    line = Text()
    line.append(f"\n{replies.say('difficulty', ui)}  ", style="bold")
    line.append(meter(level.score), style=colour)
    line.append(f"  {level.score:.1f} {replies.label(level.label, ui)}", style=f"bold {colour}")
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(no_wrap=True)
    table.add_column()
    for factor in record.details.factors:
        table.add_row(*_factor(factor, ui))
    told = record.details.reason
    said = [Padding(_text(told, "italic"), (0, 0, 0, 2), expand=False)] if told else []
    return Group(line, *said, Padding(table, (0, 0, 0, 2), expand=False))


def meter(score: float, width: int = METER) -> str:
    """A bar for 1.0 (one cell) to 5.0 (all cells)."""
    filled = max(1, round((score - 1) / 4 * width))
    return "█" * filled + "░" * (width - filled)


def _factor(factor: Factor, ui: Language) -> tuple[Text, Text, Text, Text]:
    return (
        _text(replies.factor(factor.name, ui)),
        _text(f"{meter(factor.score, 8)} {factor.score:.1f}"),
        _text(f"{factor.share:.0%}", "dim"),
        _text(", ".join(factor.words), "dim"),
    )


def _section(key: str, ui: Language, lines: list[Text]) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"\n{replies.say(key, ui)}", style="bold")
        for line in lines:
            yield Padding(line, (0, 0, 0, 2), expand=False)


def _summary(sentences: tuple[SummarySentence, ...], ui: Language) -> list[Text]:
    """Where the sentences come from is said once if it is the same for all."""
    origins = {sentence.origin for sentence in sentences}
    if len(origins) != 1:
        return [Text.assemble(_text(s.text), _from(s.origin, ui)) for s in sentences]
    lines = [_text(sentence.text) for sentence in sentences]
    return [*lines[:-1], Text.assemble(lines[-1], _from(origins.pop(), ui))]


def _from(origin: str, ui: Language) -> Text:
    return _text(f"  [{replies.say(f'origin.{origin}', ui)}]", "dim")


def _joined(words: tuple[str, ...]) -> list[Text]:
    return [_text(" · ".join(words))] if words else []


def _terms(record: DigestRecord, ui: Language) -> list[Text]:
    origins = {origin.term: origin for origin in record.details.term_origins}
    return [
        Text.assemble(
            _text(term.term, "bold"),
            _text(f" — {term.explanation}"),
            _origin(origins.get(term.term), ui),
        )
        for term in record.digest.technical_terms
    ]


def _origin(origin: TermOrigin | None, ui: Language) -> Text:
    if origin is None:
        return Text()
    credit = f", {origin.credit}" if origin.credit else ""
    return _text(f"  [{replies.say(f'term.{origin.origin}', ui)}{credit}]", "dim")


def _coverage(record: DigestRecord, ui: Language) -> Text:
    return _text(telling.coverage(record, ui, record.details.model), "dim")


def _text(text: str, style: str = "") -> Text:
    leading = " " * (len(text) - len(text.lstrip(" ")))
    return Text(leading + replies.plain(text), style=style)
