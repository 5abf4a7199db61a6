"""Rows of any file in the data folder's formats, as what a task shows and what it expects.

Read as a stream: one row in memory. A row that cannot be used is reported with its file and line
and left out. `Shown` is all that a system under test ever sees of a row: never its id, never
where it comes from, never the answer.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, cast, get_args

from core.article import Language
from core.errors import SettingsError
from core.language import detect

log = logging.getLogger("training.evaluate")

TaskName = Literal[
    "summary",
    "keywords",
    "prerequisites",
    "terms",
    "difficulty",
    "faithfulness",
    "retrieval",
    "conversation",
    "extraction",
]
TASKS: tuple[TaskName, ...] = get_args(TaskName)
Row = Mapping[str, Any]
_SAID_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """`content` is the article; for retrieval the query, for extraction nothing (see `page`).

    `address` is a page's own, for extraction only: links in it are relative to it.
    """

    title: str
    content: str
    language: Language
    claim: str = ""
    dialogue: tuple[tuple[str, str], ...] = ()
    page: Path | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """`gold` is the task's own: references, names, a level, whether it follows, ids, a text with
    segments; None where the row says nothing. `site` and `kind` sort the figures."""

    id: str
    shown: Shown
    gold: Any = None
    site: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a saved page: its whole text, or segments that must and must not be in it."""

    text: str
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


class NotUsable(Exception):
    """A row without what its task needs; the message says what."""


@dataclass
class Rows:
    """The items of a file, as often as one iterates; `broken` fills in the first time."""

    path: Path
    task: TaskName
    limit: int = 0
    broken: int = 0
    said: list[str] = field(default_factory=list)
    _told: bool = False

    def __iter__(self) -> Iterator[Item]:
        make = _MAKERS[self.task]
        count = 0
        for number, row in numbered(self.path, self._tell):
            if self.limit and count == self.limit:
                break
            try:
                item = make(row, number, self.path.parent)
            except NotUsable as error:
                self._tell(number, str(error))
                continue
            count += 1
            yield item
        self._told = True

    def _tell(self, number: int, reason: str) -> None:
        if self._told:
            return
        self.broken += 1
        said = f"{self.path}:{number}: {reason}"
        log.warning("%s; the row is left out", said)
        if len(self.said) < _SAID_AT_MOST:
            self.said.append(said)


def numbered(path: Path, tell: Callable[[int, str], None]) -> Iterator[tuple[int, Row]]:
    """Objects of JSON lines, gzipped or not, with their line numbers.

    Raises SettingsError where there is no such file.
    """
    number = 0
    try:
        with _opened(path) as lines:
            for number, line in enumerate(lines, 1):
                row = _row(line, number, tell)
                if row is not None:
                    yield number, row
    except FileNotFoundError as error:
        raise SettingsError([f"{path}: there is no such file"]) from error
    except IsADirectoryError as error:
        raise SettingsError([f"{path}: this is a folder, not a file of JSON lines"]) from error
    except (OSError, EOFError) as error:
        tell(number + 1, f"the file cannot be read on from here ({error})")


def _opened(path: Path) -> IO[bytes]:
    file = path.open("rb")
    zipped = file.read(2) == b"\x1f\x8b"
    file.close()
    return cast("IO[bytes]", gzip.open(path, "rb")) if zipped else path.open("rb")


def _row(line: bytes, number: int, tell: Callable[[int, str], None]) -> Row | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        tell(number, f"this is no JSON ({error})")
        return None
    if not isinstance(row, dict):
        tell(number, "this is no JSON object")
        return None
    return row


# --- what each task takes from a row


def _id(row: Row, number: int) -> str:
    for name in ("id", "qid", "slug", "term"):
        if row.get(name) not in (None, ""):
            return str(row[name])
    return str(number)


def _text(row: Row, *names: str) -> str:
    """The first of these that has text; raises NotUsable if none has."""
    for name in names:
        found = row.get(name)
        if isinstance(found, str) and found.strip():
            # an unpaired surrogate can be in JSON, but in no UTF-8
            return found.encode("utf-8", "replace").decode("utf-8")
    raise NotUsable(f"it needs a {' or '.join(names)}")


def _optional(row: Row, *names: str) -> str:
    try:
        return _text(row, *names)
    except NotUsable:
        return ""


def strings(value: Any) -> tuple[str, ...]:
    """Texts of a list, of one text, of {"term": …} or {"name": …} objects; none empty."""
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        return ()
    found: list[str] = []
    for one in value:
        plain = one.get("term") or one.get("name") if isinstance(one, Mapping) else one
        if isinstance(plain, str) and plain.strip():
            found.append(plain)
    return tuple(found)


def _language(row: Row, text: str) -> Language:
    given = row.get("language")
    return given if given in ("ko", "en") else detect(text)


def _site(row: Row) -> str:
    return str(row.get("source") or row.get("domain") or "")


def _shown(row: Row, **more: Any) -> Shown:
    content = _text(row, "content", "text", "article", "full", "definition")
    return Shown(_optional(row, "title"), content, _language(row, content), **more)


def _references(row: Row) -> tuple[str, ...] | None:
    return strings(row.get("summaries")) or strings(row.get("summary")) or None


def _summary(row: Row, number: int, _folder: Path) -> Item:
    return Item(_id(row, number), _shown(row), _references(row), _site(row))


def _names(*fields: str) -> Callable[[Row, int, Path], Item]:
    def make(row: Row, number: int, _folder: Path) -> Item:
        gold = next((row[name] for name in fields if row.get(name) is not None), None)
        found = None if gold is None else strings(gold)
        return Item(_id(row, number), _shown(row), found, _site(row))

    return make


_LEVELS = {"beginner": 1.0, "intermediate": 3.0, "advanced": 5.0}


def _difficulty(row: Row, number: int, _folder: Path) -> Item:
    level = row.get("level")
    known = isinstance(level, int | float) and not isinstance(level, bool)
    label = str(row.get("level_label") or "")
    label = "beginner" if label == "elementary" else label
    gold = float(level) if known and level is not None else _LEVELS.get(label)
    if gold is not None and not 1 <= gold <= 5:
        raise NotUsable(f"a level of {gold:g} is outside of 1 to 5")
    return Item(_id(row, number), _shown(row), gold, _site(row), label)


_FOLLOWS = {"consistent": True, "entailment": True, "inconsistent": False}
_FOLLOWS |= {"neutral": False, "contradiction": False}


def _faithfulness(row: Row, number: int, _folder: Path) -> Item:
    article = _text(row, "article", "premise", "content", "document")
    claim = _text(row, "claim", "hypothesis", "summary")
    shown = Shown(_optional(row, "title"), article, _language(row, article), claim=claim)
    gold = _FOLLOWS.get(str(row.get("label")))
    kind = str(row.get("kind") or row.get("label") or "")
    return Item(_id(row, number), shown, gold, _site(row), kind)


def _retrieval(row: Row, number: int, _folder: Path) -> Item:
    query = _text(row, "query", "question")
    gold = strings(row.get("relevant")) or None
    return Item(_id(row, number), Shown("", query, _language(row, query)), gold, _site(row))


def _conversation(row: Row, number: int, _folder: Path) -> Item:
    said = row.get("dialogue")
    turns = tuple(_turns(said)) if isinstance(said, list) else ()
    if not turns:
        raise NotUsable("it needs a dialogue with a text in it")
    language = _language(row, " ".join(text for _, text in turns[:50]))
    shown = Shown(_optional(row, "title"), "", language, dialogue=turns)
    return Item(_id(row, number), shown, _references(row), _site(row))


def _turns(said: list[Any]) -> Iterator[tuple[str, str]]:
    for turn in said:
        if isinstance(turn, Mapping) and isinstance(turn.get("text"), str) and turn["text"].strip():
            yield str(turn.get("speaker") or ""), turn["text"]


def _extraction(row: Row, number: int, folder: Path) -> Item:
    page = folder / _text(row, "html_file")
    if not page.is_file():
        raise NotUsable(f"there is no {page}")
    wanted, unwanted = strings(row.get("must_contain")), strings(row.get("must_not_contain"))
    text = _optional(row, "text")
    address = str(row.get("url") or "")
    shown = Shown("", "", "en", page=page, address=address if address.startswith("http") else "")
    gold = Expected(text, wanted, unwanted) if text or wanted or unwanted else None
    return Item(_id(row, number), shown, gold, _site(row))


_MAKERS: dict[TaskName, Callable[[Row, int, Path], Item]] = {
    "summary": _summary,
    "keywords": _names("keywords", "tags"),
    "prerequisites": _names("prerequisites"),
    "terms": _names("terms", "technical_terms", "term"),
    "difficulty": _difficulty,
    "faithfulness": _faithfulness,
    "retrieval": _retrieval,
    "conversation": _conversation,
    "extraction": _extraction,
}


@dataclass(frozen=True, slots=True)
class Doc:
    """A document that a query may be answered by."""

    id: str
    title: str
    text: str
    language: Language


def documents(path: Path) -> Iterator[Doc]:
    """Documents of a pool. A broken one is reported with file and line and left out."""

    def tell(number: int, reason: str) -> None:
        log.warning("%s:%d: %s; the document is left out", path, number, reason)

    for number, row in numbered(path, tell):
        text = _optional(row, "text", "content")
        title = _optional(row, "title")
        if text or title:
            yield Doc(_id(row, number), title, text, _language(row, text or title))
        else:
            tell(number, "it needs a title or a text")
