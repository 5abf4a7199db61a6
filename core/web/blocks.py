"""An extracted tree as a row of blocks, and the blocks as light Markdown.

Between the extractor's tree and our text stands a flat list: what is left out at an article's
edges (`core/web/boilerplate.py`) is decided block by block, by how it reads and how much of it
is link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lxml.etree import _Element

from core.web.listings import carried

Kind = Literal["heading", "paragraph", "quote", "item", "code", "row"]
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" *\n *")
_MAX_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph, heading, list item, table row or piece of code.

    `level` is the depth of a heading (1-6) or of a list item (0 is outermost); `linked` is how
    many of the text's characters are inside links; `language` is that of code, where it is said.
    """

    kind: Kind
    text: str
    level: int = 0
    linked: int = 0
    language: str = ""

    @property
    def link_share(self) -> float:
        return self.linked / len(self.text) if self.text else 0.0


def tidy(text: str) -> str:
    """White space as a reader sees it: no runs of it, no empty lines."""
    flat = _SPACES.sub(" ", text.replace("\r", "\n").replace("\u200b", ""))
    return re.sub(r"\n+", "\n", _BREAKS.sub("\n", flat)).strip()


# --- from the tree


def blocks_of(body: _Element) -> list[Block]:
    """The blocks of a tree in the extractor's own tags (head, p, list, item, code, quote …)."""
    return [block for block in _walk(body) if block.text]


def _walk(parent: _Element) -> Iterator[Block]:
    loose = _Inline()
    loose.add(parent.text)
    for child in parent:
        maker = _MAKERS.get(str(child.tag)) if isinstance(child.tag, str) else None
        if maker is None or (child.tag == "code" and _is_inline(child)):
            loose.add_element(child)
        else:
            yield from loose.paragraphs("paragraph")
            yield from maker(child)
        loose.add(child.tail)
    yield from loose.paragraphs("paragraph")


class _Inline:
    """Running text being gathered, with the share of it that is link."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._linked = 0

    def add(self, text: str | None) -> None:
        if text:
            self._parts.append(text.replace("\n", " "))

    def add_element(self, element: _Element) -> None:
        """The text of an inline element; code in backticks, breaks as line ends."""
        for event, node in _events(element):
            if event == "start":
                self._start(node)
            elif node is not element:
                self.add(node.tail)

    def _start(self, node: _Element) -> None:
        if node.tag == "lb":
            self._parts.append("\n")
        elif node.tag == "code" and len(node) == 0:
            code = " ".join((node.text or "").split())
            self._parts.append(f"`{code}`" if code and "`" not in code else code)
        else:
            if node.tag == "ref":
                self._linked += len("".join(node.itertext()).strip())
            self.add(node.text)

    def paragraphs(self, kind: Kind) -> Iterator[Block]:
        """What was gathered, cut where an author wrote two line ends; then starts afresh."""
        text, linked = "".join(self._parts), self._linked
        self._parts, self._linked = [], 0
        pieces = [tidy(piece) for piece in re.split(r"\n[^\S\n]*\n+", text)]
        whole = sum(map(len, pieces)) or 1
        for piece in pieces:
            if piece:
                yield Block(kind, piece, linked=min(len(piece), linked * len(piece) // whole))


def _events(element: _Element) -> Iterator[tuple[str, _Element]]:
    """Start and end of an element and all below it, without recursion: pages nest deeply."""
    stack = [(element, iter(element))]
    yield "start", element
    while stack:
        node, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield "end", node
        elif isinstance(child.tag, str):
            yield "start", child
            stack.append((child, iter(child)))


def _is_inline(code: _Element) -> bool:
    """Code within a sentence: one line, with words before or after it."""
    parent = code.getparent()
    whole = "".join(code.itertext())
    return "\n" not in whole.strip("\n") and parent is not None and parent.tag != "body"


def _heading(element: _Element) -> Iterator[Block]:
    digits = re.sub(r"\D", "", element.get("rend", "")) or "2"
    text = tidy(_plain(element)).replace("\n", " ")
    yield Block("heading", text, min(_MAX_LEVEL, max(1, int(digits))), _linked(element))


def _paragraph(element: _Element) -> Iterator[Block]:
    return _walk(element)


def _quote(element: _Element) -> Iterator[Block]:
    for block in _walk(element):
        kind: Kind = "quote" if block.kind == "paragraph" else block.kind
        yield replace(block, kind=kind)


def _list(element: _Element, level: int = 0) -> Iterator[Block]:
    for item in element:
        if item.tag != "item":
            yield from (_list(item, level) if item.tag == "list" else _walk(item))
            continue
        yield from _item(item, level)


def _item(item: _Element, level: int) -> Iterator[Block]:
    """The item's own text, then what is nested in it, deeper by one."""
    own = _Inline()
    own.add(item.text)
    after: list[Block] = []
    for child in item:
        if child.tag == "list":
            after += _list(child, min(level + 1, _MAX_LEVEL))
        elif child.tag in {"code", "table"} and not _is_inline(child):
            after += _MAKERS[str(child.tag)](child)
        else:
            own.add_element(child)
            own.add(" ")
        own.add(child.tail)
    pieces = list(own.paragraphs("item"))
    joined = " ".join(piece.text.replace("\n", " ") for piece in pieces)
    if joined:
        yield Block("item", joined, level, sum(piece.linked for piece in pieces))
    yield from after


def _code(element: _Element) -> Iterator[Block]:
    text = "".join(element.itertext()).replace("\r\n", "\n").expandtabs(4)
    lines = "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
    yield Block("code", lines.rstrip(), language=carried(element))


def _table(element: _Element) -> Iterator[Block]:
    for row in element.iter("row"):
        cells = [tidy(_plain(cell)).replace("\n", " ") for cell in row.iter("cell")]
        filled = [cell for cell in cells if cell]
        linked = _linked(row)
        if len(filled) == 1:
            yield Block("paragraph", filled[0], linked=linked)
        elif filled:
            yield Block("row", " | ".join(cells), linked=linked)


_MAKERS = {
    "head": _heading,
    "p": _paragraph,
    "quote": _quote,
    "list": _list,
    "code": _code,
    "table": _table,
}


def _plain(element: _Element) -> str:
    return "".join(element.itertext())


def _linked(element: _Element) -> int:
    return sum(len("".join(ref.itertext()).strip()) for ref in element.iter("ref"))


# --- to Markdown


def markdown_of(blocks: Sequence[Block]) -> str:
    """Headings as `#`, lists as `-`, code in fences, everything else divided by an empty line."""
    parts: list[str] = []
    before: Block | None = None
    for block in blocks:
        if before is not None:
            tight = block.kind in {"item", "row"} and before.kind == block.kind
            parts.append("\n" if tight else "\n\n")
        parts.append(_written(block))
        before = block
    return "".join(parts)


def _written(block: Block) -> str:
    if block.kind == "heading":
        return f"{'#' * max(1, block.level)} {block.text}"
    if block.kind == "item":
        return f"{'  ' * block.level}- {block.text}"
    if block.kind == "row":
        return f"| {block.text} |"
    if block.kind == "code":
        fence = "```" if "```" not in block.text else "~~~~"
        return f"{fence}{block.language}\n{block.text}\n{fence}"
    return block.text


def words_in(blocks: Iterable[Block]) -> int:
    return sum(word_count(block.text) for block in blocks)


_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


def word_count(text: str) -> int:
    """Words between spaces; scripts without spaces count two characters as a word."""
    return len(text.split()) + len(_UNSPACED.findall(text)) // 2
