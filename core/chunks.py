"""An article's text with its structure, cut into parts that a model can read at once.

Nothing is dropped here: every sentence belongs to exactly one part, code is kept beside the
prose (it counts for the difficulty), and a part ends at a heading where one is near.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.article import Article, Language
from core.language import count_words, detect, sentences
from core.markup import plain, plain_and_shielded

Kind = Literal["heading", "paragraph", "item", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of light Markdown. `section` counts headings; `info` is a fence's language.

    `shielded` is the text with letters for its code: whose marks end no sentence.
    """

    kind: Kind
    text: str
    section: int
    info: str = ""
    shielded: str | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """`index` counts in the article; `heading` is the nearest one above, "" before the first.

    `whole` says that it can be read on its own: prose that ends as a sentence does.
    """

    text: str
    index: int
    section: int
    heading: str
    kind: Kind
    first: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences `start` to `end` (not included), at most so many words."""

    start: int
    end: int
    heading: str
    text: str
    words: int


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    language: Language
    blocks: tuple[Block, ...]
    sentences: tuple[Sentence, ...]
    parts: tuple[Part, ...]
    words: int

    @property
    def code(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.kind == "code")

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(block.text for block in self.blocks if block.kind == "heading")

    @property
    def prose(self) -> str:
        return "\n".join(sentence.text for sentence in self.sentences)


_FENCE = re.compile(r"^\s*(```|~~~)\s*([\w+#.-]*)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)(?:\s+#+)?\s*$")
_QUOTE = re.compile(r"^ {0,3}>(?:\s?>)*\s?")
_UNDERLINE = re.compile(r"^(=+|-{3,})\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(.*)$")
_INDENTED = re.compile(r"^(?:\t| {4,})(?![-*+•\t ]*(?:[-*+•]|\d{1,3}[.)])\s)\s*\S")
_RULE = re.compile(r"^\s*([-*_]\s*){3,}$")


def blocks(content: str) -> list[Block]:
    """Headings, paragraphs, list items, table rows and code of light Markdown."""
    return list(_Reader().read(content))


class _Reader:
    """A line at a time; the pending paragraph is given out when something else begins."""

    def __init__(self) -> None:
        self.section = 0
        self.pending: list[str] = []
        self.kind: Kind = "paragraph"

    def read(self, content: str) -> Iterator[Block]:
        lines = iter(content.splitlines())
        for line in lines:
            fence = _FENCE.match(line)
            if not self.pending and _INDENTED.match(line):
                self.kind, self.pending = "code", [line]
            elif self.pending and self.kind == "code":
                yield from self.code_line(line)
            elif fence is not None:
                yield from self.flush()
                code = "\n".join(_until(lines, fence.group(1)))
                yield Block("code", code, self.section, fence.group(2).lower())
            else:
                yield from self.line(line)
        yield from self.flush()

    def line(self, line: str) -> Iterator[Block]:
        line = _QUOTE.sub("", line)
        heading = _HEADING.match(line)
        item = _ITEM.match(line)
        if heading is not None and heading.group(2):
            yield from self.flush()
            yield self.heading(heading.group(2))
        elif self.pending and self.kind == "paragraph" and _UNDERLINE.match(line):
            text = " ".join(self.pending)
            self.pending = []
            yield self.heading(text)
        elif not line.strip() or _RULE.match(line):
            yield from self.flush()
        elif item is not None:
            yield from self.flush()
            self.kind, self.pending = "item", [item.group(1)]
        elif line.lstrip().startswith("|"):
            yield from self.flush()
            yield Block("table", line.strip().strip("|").strip(), self.section)
        else:
            self.pending.append(line.strip().lstrip("> ").removesuffix("\\").rstrip())

    def code_line(self, line: str) -> Iterator[Block]:
        """Indented code goes on over empty lines and ends with the first line at the margin."""
        if not line.strip() or _INDENTED.match(line):
            self.pending.append(line)
        else:
            yield from self.flush()
            yield from self.line(line)

    def heading(self, text: str) -> Block:
        self.section += 1
        return Block("heading", plain(text), self.section)

    def flush(self) -> Iterator[Block]:
        if self.pending and self.kind == "code":
            yield Block("code", "\n".join(self.pending).strip("\n"), self.section)
        elif self.pending:
            text, shielded = plain_and_shielded(" ".join(self.pending))
            yield Block(self.kind, text, self.section, shielded=shielded)
        self.kind, self.pending = "paragraph", []


def _until(lines: Iterator[str], fence: str) -> Iterator[str]:
    for line in lines:
        if line.strip().startswith(fence):
            return
        yield line


_ENDS = re.compile(r"[.!?…。][\"'”’)\]]*$")


def _whole(text: str, kind: Kind) -> bool:
    return (
        kind in ("paragraph", "item") and bool(_ENDS.search(text)) and 5 <= len(text.split()) <= 60
    )


_OPEN = re.compile(r"(?:;|\b(?:or|and|if|when|that|either)|[ ,](?:또는|및|혹은))$")


def _is_open(before: str) -> bool:
    """ "… satisfies C if", "T implements C; or": what stands in the next item is a part of it."""
    return _OPEN.search(before) is not None


def cut(article: Article, part_words: int) -> Document:
    """The article with its sentences and parts of at most about `part_words` words."""
    language = detect(article.content, article.language)
    found = blocks(article.content)
    kept = tuple(_sentences(found, language))
    return Document(
        title=plain(article.title or ""),
        language=language,
        blocks=tuple(found),
        sentences=kept,
        parts=tuple(_parts(kept, part_words)),
        words=count_words(article.content),
    )


def _sentences(found: list[Block], language: Language) -> Iterator[Sentence]:
    heading = ""
    index = 0
    code_before = False
    before = ""
    for block in found:
        if block.kind == "heading":
            heading = block.text
        if block.kind in ("heading", "code"):
            code_before = block.kind == "code"
            continue
        row = block.kind == "table"
        texts = [block.text] if row else sentences(block.text, language, block.shielded)
        for place, text in enumerate(texts):
            # "could then be …" after a code block goes on with the sentence before the block
            goes_on = code_before and place == 0 and text[0].islower()
            goes_on = goes_on or (block.kind == "item" and place == 0 and _is_open(before))
            whole = _whole(text, block.kind) and not goes_on
            yield Sentence(text, index, block.section, heading, block.kind, place == 0, whole)
            index += 1
            before = text
        code_before = False


def _parts(all_sentences: tuple[Sentence, ...], part_words: int) -> Iterator[Part]:
    start = 0
    size = 0
    for place, sentence in enumerate(all_sentences):
        length = count_words(sentence.text)
        new_section = place > start and sentence.section != all_sentences[place - 1].section
        # a heading ends a part only when the part is worth a reading of its own
        full = size + length > part_words or (new_section and size >= part_words * 0.6)
        if place > start and full:
            yield _part(all_sentences, start, place)
            start, size = place, 0
        size += length
    if start < len(all_sentences):
        yield _part(all_sentences, start, len(all_sentences))


def _part(all_sentences: tuple[Sentence, ...], start: int, end: int) -> Part:
    inside = all_sentences[start:end]
    text = " ".join(sentence.text for sentence in inside)
    return Part(start, end, inside[0].heading, text, count_words(text))
