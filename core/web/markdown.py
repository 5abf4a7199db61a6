"""Raw Markdown and plain text: what stands in the file, tidied, and its front matter.

front matter → title, date, tags     HTML, badges and link targets off     the rest is the text
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from core.web.blocks import Block

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\A\+\+\+[ \t]*\n(.*?)\n\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML_LINE = re.compile(r"^(\w+)\s*=\s*(.+)$", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_ITEM = re.compile(r"^(\s*)(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-{2,}[\s:|-]*\|?\s*$")
_DEFINITION = re.compile(r"^ {0,3}\[[^\]]{1,200}\]:\s*\S+.*$")

_IMAGE = re.compile(r"!\[[^\]]{0,500}\](?:\([^()]{0,2000}(?:\([^()]{0,500}\))?\)|\[[^\]]{0,200}\])")
_LINK = re.compile(
    r"\[([^\[\]]{0,1000})\](?:\([^()]{0,2000}(?:\([^()]{0,500}\))?[^()]{0,500}\)|\[[^\]]{0,200}\])"
)
_AUTOLINK = re.compile(r"<(https?://[^\s<>]{1,2000})>")
_FENCED = re.compile(r"(^ {0,3}```.*?^ {0,3}```[ \t]*$)", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_EMPHASIS = re.compile(
    r"(?<![\w*])(\*{1,3})(?=\S)([^*\n]{1,1000}?)(?<=\S)\1(?![\w*])|(?<![\w_])(_{1,3})(?=\S)([^_\n]{1,1000}?)(?<=\S)\3(?![\w_])"
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
    head, body = _front_matter(text.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = _blocks(body)
    title = _one(head, "title")
    if title is None and (first := _title_heading(blocks)) is not None:
        title = blocks[first].text
        del blocks[first]
    elif title and blocks and blocks[0].kind == "heading" and blocks[0].text == title:
        del blocks[0]
    return Text(
        blocks=tuple(blocks),
        title=title,
        author=_one(head, "author") or _one(head, "authors"),
        date=_date(head),
        tags=_many(head, "tags") or _many(head, "keywords") or _many(head, "categories"),
    )


def read_plain(text: str) -> Text:
    """Paragraphs as they are divided; the first line is the title where it looks like one."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    pieces = [_unwrapped(piece) for piece in re.split(r"\n[^\S\n]*\n\s*", clean)]
    pieces = [piece for piece in pieces if piece]
    title = None
    if (
        len(pieces) > 1
        and len(pieces[0]) <= 120
        and not pieces[0].endswith((".", "!", "?", ",", ":", "다."))
    ):
        title = pieces.pop(0)
    return Text(tuple(Block("paragraph", piece) for piece in pieces), title=title)


def _unwrapped(piece: str) -> str:
    return " ".join(piece.split())


# --- front matter


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    text = text.removeprefix("\ufeff")
    if (toml := _TOML.match(text)) is not None:
        pairs = ((k, v.strip()) for k, v in _TOML_LINE.findall(toml[1]))
        return {key: _toml_value(value) for key, value in pairs}, text[toml.end() :]
    found = _FRONT.match(text)
    if found is None:
        return {}, text
    try:
        # an alias may stand for another without end; a head of a text has no use for one
        head = None if re.search(r"[:\[,-]\s*[*&]\w", found[1]) else yaml.safe_load(found[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        head = None
    return (head if isinstance(head, dict) else {}), text[found.end() :]


def _toml_value(value: str) -> Any:
    if value.startswith("["):
        return re.findall(r"[\"']([^\"']*)[\"']", value)
    return value.strip("\"'")


def _one(head: dict[str, Any], key: str) -> str | None:
    value = head.get(key)
    if isinstance(value, list):
        value = ", ".join(str(_name(entry)) for entry in value)
    text = " ".join(str(_name(value)).split()) if value is not None else ""
    return text[:500] or None


def _name(entry: Any) -> Any:
    return entry.get("name", "") if isinstance(entry, dict) else entry


def _many(head: dict[str, Any], key: str) -> tuple[str, ...]:
    value = head.get(key)
    named = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    tags = (" ".join(str(tag).split()) for tag in named)
    return tuple(dict.fromkeys(tag for tag in tags if 0 < len(tag) <= 60))[:20]


def _date(head: dict[str, Any]) -> str | None:
    found = re.match(r"\d{4}-\d{2}-\d{2}", str(head.get("date") or head.get("published") or ""))
    return found[0] if found else None


def _title_heading(blocks: list[Block]) -> int | None:
    for index, block in enumerate(blocks[:5]):
        if block.kind == "heading" and block.level == 1:
            return index
    return None


# --- the text


def _blocks(text: str) -> list[Block]:
    reader = _Reader()
    pieces = _FENCED.split(text)
    pieces[::2] = [_COMMENT.sub("", piece) for piece in pieces[::2]]
    for line in "".join(pieces).split("\n"):
        reader.line(line)
    reader.end()
    return [block for block in reader.blocks if block.text]


class _Reader:
    """Lines in, blocks out."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._prose: list[str] = []
        self._code: list[str] | None = None
        self._fence = ""
        self._item: int | None = None

    def line(self, line: str) -> None:
        if self._code is not None:
            self._code_line(line)
        elif (fence := _FENCE.match(line)) is not None:
            self.end()
            self._fence, self._code = fence[1], []
        elif not line.strip():
            self.end()
        else:
            self._text_line(line)

    def _code_line(self, line: str) -> None:
        assert self._code is not None  # noqa: S101 - only called inside a fence
        closing = _FENCE.match(line)
        bare = line.strip()
        if closing and bare == bare[0] * len(bare) and closing[1].startswith(self._fence):
            self.end()
        else:
            self._code.append(line.rstrip())

    def _text_line(self, line: str) -> None:
        if (heading := _HEADING.match(line)) is not None:
            self.end()
            self.blocks.append(Block("heading", _inline(heading[2]), len(heading[1])))
        elif self._prose and self._item is None and (under := _UNDERLINE.match(line)) is not None:
            text = _inline(" ".join(self._prose))
            self._prose = []
            self.blocks.append(Block("heading", text, 1 if under[1].startswith("=") else 2))
        elif _RULE.match(line) or _DEFINITION.match(line) or _TABLE_RULE.match(line):
            self.end()
        elif (item := _ITEM.match(line)) is not None:
            self.end()
            self._item = min(len(item[1].expandtabs(4)) // 2, 6)
            self._prose.append(item[2])
        elif line.lstrip().startswith("|"):
            self.end()
            cells = [_inline(cell) for cell in line.strip().strip("|").split("|")]
            self.blocks.append(Block("row", " | ".join(cells)))
        elif not self._prose and line.startswith(("    ", "\t")) and self._item is None:
            self._indented(line.expandtabs(4)[4:].rstrip())
        else:
            self._prose.append(line.strip().lstrip(">").strip())

    def _indented(self, line: str) -> None:
        before = self.blocks[-1] if self.blocks else None
        if before is not None and before.kind == "code" and before.level == -1:
            self.blocks[-1] = Block("code", f"{before.text}\n{line}", -1)
        else:
            self.blocks.append(Block("code", line, -1))

    def end(self) -> None:
        """Close what is open."""
        if self._code is not None:
            self.blocks.append(Block("code", "\n".join(self._code).strip("\n")))
            self._code = None
        elif self._prose:
            text = _inline(" ".join(self._prose))
            if self._item is None:
                self.blocks.append(Block("paragraph", text))
            else:
                self.blocks.append(Block("item", text, self._item))
        self._prose, self._item = [], None


def _inline(text: str) -> str:
    """A line as it reads: no pictures, no link targets, no tags, no emphasis; code stays."""
    pieces = re.split(r"(`+[^`]*`+)", text)
    pieces[::2] = [_bare(piece) for piece in pieces[::2]]
    return " ".join("".join(pieces).split())


def _bare(text: str) -> str:
    text = _IMAGE.sub("", text)
    text = _LINK.sub(lambda m: m[1], text)
    text = _AUTOLINK.sub(lambda m: m[1], text)
    text = _TAG.sub("", text)
    return _EMPHASIS.sub(lambda m: m[2] or m[4], text)
