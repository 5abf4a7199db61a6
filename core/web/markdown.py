"""Raw Markdown and plain text: what stands in the file, tidied, and its front matter.

front matter → title, date, tags     comments, markup of generators off     the rest is the text
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.web import front_matter
from core.web.apart import told_apart
from core.web.blocks import Block
from core.web.inline import Marks, heading, inline, marks_in

_FENCE = re.compile(r"^(\s*)(`{3,}(?!.*`)|~{3,})[ \t{.]*([A-Za-z][A-Za-z0-9+#-]{0,19}\b[+#]*)?")
_QUOTE = re.compile(r"^ {0,3}>(?:[ \t]?>)*[ \t]?")
_QUOTED_CODE = re.compile(r"^ {0,3}>[ \t]?")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_ITEM = re.compile(r"^(\s*)([-*+]|\d{1,9}[.)])([ \t]+)(?:\[[ xX]\][ \t]+)?(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_TABLE_RULE = re.compile(r"^\s*(?:\|[\s:|-]*-[\s:|-]*|[\s:|-]*-{2,}[\s:|-]*)$")
_DEFINITION = re.compile(r"^ {0,3}\[(?!\^)(?:[^\[\]]|\[[^\[\]]{0,100}\]){1,200}\]:\s*\S+.*$")
_SOURCE = re.compile(r"^ {0,3}\[(\d{1,3}(?:-\d{1,3})?)\][ \t]+(.*)$")
_ADDRESS = re.compile(r"^https?://\S+$")
_ADMONITION = re.compile(r"^(?:!!!|\?\?\?\+?)[ \t]+\w")
# lines that speak to a generator and not to a reader; a tag alone on its line is one of them
_MACHINE = re.compile(
    r"^\s*(?:"
    r":{3,}.*|\[![A-Za-z]+\][+-]?|\[\[?_?toc_?\]?\]|import\s.{1,300}\sfrom\s+[\"'][^\"']+[\"'];?"
    r"|(?:</?(?!https?:|mailto:|(?:a|b|i|em|strong|code|kbd|span|sub|sup|small|u|s|mark|del|ins)[\s>/])"
    r"[A-Za-z][^<>]*>\s*)+"
    r")$",
    re.IGNORECASE,
)
_LONGEST_HEADING = 150

# A first heading that says what every article begins with is the name of a section.
_NO_TITLE = frozenset(
    "introduction intro overview background summary tl;dr 서론 들어가며 개요 배경 소개 목차".split()
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text file as blocks, with what its head says."""

    blocks: tuple[Block, ...]
    title: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


def read_markdown(text: str) -> Text:
    head, body = front_matter.front_matter(text.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = _blocks(body)
    title = front_matter.one(head, "title")
    if title is None and (first := _title_heading(blocks)) is not None:
        title = blocks[first].text
        del blocks[first]
    elif title and blocks and blocks[0].kind == "heading" and blocks[0].text == title:
        del blocks[0]
    return Text(
        blocks=tuple(blocks),
        title=title,
        author=front_matter.one(head, "author") or front_matter.one(head, "authors"),
        date=front_matter.date(head),
        tags=front_matter.tags(head),
    )


def read_plain(text: str) -> Text:
    """Paragraphs as they are divided; the first line is the title where it looks like one."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    pieces = [" ".join(piece.split()) for piece in re.split(r"\n[^\S\n]*\n\s*", clean)]
    pieces = [piece for piece in pieces if piece]
    title = None
    if (
        len(pieces) > 1
        and len(pieces[0]) <= 120
        and not pieces[0].endswith((".", "!", "?", ",", ":", "다."))
    ):
        title = pieces.pop(0)
    return Text(tuple(Block("paragraph", piece) for piece in pieces), title=title)


def _title_heading(blocks: list[Block]) -> int | None:
    """A heading of the first level near the top, or whatever heading the file begins with."""
    for index, block in enumerate(blocks[:5]):
        if block.kind == "heading" and block.level == 1:
            return index
    first = blocks[0] if blocks else None
    named = first is not None and first.kind == "heading" and first.text.lower() not in _NO_TITLE
    return 0 if named else None


# --- the text


def _blocks(text: str) -> list[Block]:
    text = told_apart(text)
    reader = _Reader(marks_in(text))
    for line in text.split("\n"):
        reader.line(line)
    reader.end()
    return [block for block in reader.blocks if block.text]


class _Reader:
    """Lines in, blocks out."""

    def __init__(self, marks: Marks) -> None:
        self.blocks: list[Block] = []
        self._marks = marks
        self._prose: list[str] = []
        self._code: list[str] | None = None
        self._fence: re.Match[str] | None = None
        self._item: int | None = None  # the level of the item being read
        self._list: int | None = None  # the column where the text of the last item began
        self._quoted = self._admonished = self._table = self._tagged = False

    def line(self, line: str) -> None:
        if self._code is not None:
            self._code_line(_QUOTED_CODE.sub("", line) if self._quoted else line)
            return
        line = self._inside(line)
        if (fence := _FENCE.match(line)) is not None:
            self.end()
            self._fence, self._code = fence, []
        elif not line.strip(" \t\\") or _MACHINE.match(line):
            self.end()
            self._tagged = line.lstrip().startswith("<")
        else:
            self._text_line(line)

    def _inside(self, line: str) -> str:
        """The line without the mark of its quote or the indent of its admonition."""
        if _ADMONITION.match(line):
            self.end()
            self._admonished = True
            return ""
        if self._admonished and line.strip():
            self._admonished = line.startswith(("    ", "\t"))
            line = line.expandtabs(4)[4:] if self._admonished else line
        quoted = _QUOTE.match(line)
        if quoted is None:
            self._quoted = self._quoted and bool(self._prose)
            return line
        if not self._quoted:
            self.end()
            self._quoted = True
        return line[quoted.end() :]

    def _code_line(self, line: str) -> None:
        assert self._code is not None  # noqa: S101 - only called inside a fence
        assert self._fence is not None  # noqa: S101 - as above
        closing = _FENCE.match(line)
        bare = line.strip()
        if closing and bare == bare[0] * len(bare) and closing[2].startswith(self._fence[2]):
            self.end()
        else:
            indent = len(line) - len(line.lstrip())
            self._code.append(line[min(indent, len(self._fence[1])) :].rstrip())

    def _text_line(self, line: str) -> None:
        if (found := _HEADING.match(line)) is not None:
            self._heading(found[2], len(found[1]))
        elif self._prose and self._item is None and (under := _UNDERLINE.match(line)) is not None:
            self._underlined(under[1])
        elif self._is_table(line):
            self._row(line)
        elif _RULE.match(line) or _DEFINITION.match(line):
            self.end()
        elif (item := _ITEM.match(line)) is not None and self._may_begin(item):
            self._begin_item(item)
        elif (source := _SOURCE.match(line)) is not None and source[1] in self._marks.sources:
            self.end()
            self._prose = [] if _ADDRESS.match(inline(source[2], self._marks)) else [line]
        elif not self._prose and self._is_code(line):
            self._indented(line.expandtabs(4)[4 + (self._list or 0) :].rstrip())
        else:
            if not self._prose and not line.startswith((" ", "\t")):
                self._list = None
            self._prose.append(line.strip().removesuffix("\\").rstrip())

    def _heading(self, text: str, level: int) -> None:
        self.end()
        self._list = None
        self.blocks.append(Block("heading", heading(text, self._marks), level))

    def _underlined(self, mark: str) -> None:
        """The paragraph was a heading; a long one has a rule under it, put there carelessly."""
        text = " ".join(self._prose)
        if mark.startswith("-") and len(text) > _LONGEST_HEADING:
            self.end()
            return
        self._prose = []
        self._heading(text, 1 if mark.startswith("=") else 2)

    def _is_table(self, line: str) -> bool:
        bars = "|" in line
        begins = line.lstrip().startswith("|")
        if bars and _TABLE_RULE.match(line):
            return begins or (len(self._prose) == 1 and "|" in self._prose[0])
        return begins or (self._table and bars)

    def _row(self, line: str) -> None:
        if _TABLE_RULE.match(line):
            head = self._prose[0] if len(self._prose) == 1 and "|" in self._prose[0] else ""
            self._prose = [] if head else self._prose
            self.end(table=True)
            if not head:
                return
            line = head
        else:
            self.end(table=self._table)
        cells = [inline(cell, self._marks) for cell in line.strip().strip("|").split("|")]
        self.blocks.append(Block("row", " | ".join(cells)))

    def _may_begin(self, item: re.Match[str]) -> bool:
        """A line that goes on with "2019. It was …" begins no list within its paragraph."""
        return not self._prose or self._item is not None or item[2] in {"-", "*", "+", "1.", "1)"}

    def _begin_item(self, item: re.Match[str]) -> None:
        self.end()
        self._list = len((item[1] + item[2] + item[3]).expandtabs(4))
        if (found := _HEADING.match(item[4])) is not None:
            self.blocks.append(Block("heading", heading(found[2], self._marks), len(found[1])))
            return
        self._item = min(len(item[1].expandtabs(4)) // 2, 6)
        self._prose.append(item[4].removesuffix("\\"))

    def _is_code(self, line: str) -> bool:
        """Indented by four, counted from where the text of a list's last item began.

        What is indented among tags is so for the tags' sake.
        """
        wide = line.expandtabs(4)
        return not self._tagged and len(wide) - len(wide.lstrip()) >= 4 + (self._list or 0)

    def _indented(self, line: str) -> None:
        before = self.blocks[-1] if self.blocks else None
        if before is not None and before.kind == "code" and before.level == -1:
            self.blocks[-1] = Block("code", f"{before.text}\n{line}", -1)
        else:
            self.blocks.append(Block("code", line, -1))

    def end(self, *, table: bool = False) -> None:
        """Close what is open."""
        if self._code is not None:
            code, language = "\n".join(self._code).strip("\n"), self._fence and self._fence[3]
            self.blocks.append(Block("code", code, language=(language or "").lower()))
            self._code = None
        elif self._prose:
            text = inline(" ".join(self._prose), self._marks)
            if self._item is None:
                self.blocks.append(Block("paragraph", text))
            else:
                self.blocks.append(Block("item", text, self._item))
        self._prose, self._item, self._table = [], None, table
