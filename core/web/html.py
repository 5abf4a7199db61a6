"""The article in an HTML page: trafilatura first, others where it clearly missed it.

    parse → code mended → trafilatura, quick → good enough? → blocks → boilerplate off

Only where the first result does not hold against the page's own paragraphs
(`core/web/candidates.py`) are the slower extractors asked, and the best one is taken. That
costs little on most pages and saves the ones that went quite wrong; EXTRACTION.md has the
figures.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.etree import _Element
from readability import Document as Readability
from readability.readability import Unparseable
from trafilatura import bare_extraction
from trafilatura.metadata import extract_metadata
from trafilatura.utils import load_html

from core.web.blocks import Block, blocks_of, words_in
from core.web.boilerplate import without_boilerplate
from core.web.candidates import GOOD_ENOUGH, Evidence, evidence_in, score
from core.web.listings import LANGUAGE, language_of

# Both say on the way what they tried; what came of it is all that matters to us.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
logging.getLogger("readability").setLevel(logging.CRITICAL)

# Fewest steps of all its modes; what it takes too much is what the next steps look for.
_QUICK: dict[str, Any] = {"fast": True, "favor_recall": True}
_FEW_WORDS = 60
_FOR_ALL = 50_000  # elements; beyond that one extractor has to do
_GUTTERS = (
    "gutter linenos lineno line-numbers linenumber line-number-wrapper hljs-ln-numbers".split()
)
# An XML line and a DOCTYPE with its own entities say nothing of the article.
_DECLARATION = re.compile(
    r"\A\s*(?:<\?xml[^>]{0,300}\?>\s*)?(?:<!DOCTYPE\s[^>\[]{0,300}\[[^\]]{0,20000}\]\s*>)?",
    re.IGNORECASE,
)
# No tag of an article is as long as that; a parser takes the square of the attributes' number.
_TAG_LENGTH = 5000
_HUGE_TAG = re.compile(r"<([a-zA-Z][\w:-]{0,40})[^<>]{5000,}>")


@dataclass(frozen=True, slots=True)
class Found:
    """What an HTML page says: its article as blocks, and what it says about itself."""

    blocks: tuple[Block, ...]
    title: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()


def parsed(html: str) -> _Element | None:
    """The tree of a page, None where there is none in it."""
    if not html.strip():
        return None
    whole = _without_huge_tags(_DECLARATION.sub("", html, count=1))
    if "<html" not in whole[:5000].lower():
        whole = f"<html><body>{whole}</body></html>"
    tree: _Element | None = load_html(whole)
    if tree is not None:
        _mend_code(tree)
    return tree


def _without_huge_tags(html: str) -> str:
    huge = any(
        len(piece) > _TAG_LENGTH and piece.find(">", 0, _TAG_LENGTH) < 0
        for piece in html.split("<")
    )
    return _HUGE_TAG.sub(r"<\1>", html) if huge else html


def found_in(tree: _Element, html: str, url: str) -> Found:
    """The article of a page, boilerplate off."""
    document = _metadata(tree, url)
    first = _blocks(_trafilatura(tree, **_QUICK))
    evidence = evidence_in(tree)
    blocks = first
    if _worth(first, evidence) < GOOD_ENOUGH and size_of(tree) <= _FOR_ALL:
        blocks = _best_of(first, evidence, tree, html, url)
    title = _text(document, "title")
    return Found(
        blocks=tuple(without_boilerplate(blocks, title)),
        title=title,
        author=_text(document, "author"),
        date=_text(document, "date"),
        tags=_tags(document),
    )


def size_of(tree: _Element) -> int:
    return int(tree.xpath("count(//*)"))


# --- extractors


# How libraries stumble over hostile trees, each in its own way; that is one extractor less.
_STUMBLES = (ValueError, TypeError, AttributeError, RecursionError, etree.LxmlError)


def _trafilatura(tree: _Element, **options: Any) -> Any:
    """Without the page's address, which would only be used to complete every link."""
    try:
        return bare_extraction(tree, include_comments=False, include_links=True, **options)
    except _STUMBLES:
        return None


def _metadata(tree: _Element, url: str) -> Any:
    # the thorough search for a date costs as much as the whole extraction, and guesses
    dates = {"extensive_search": False, "original_date": True}
    try:
        return extract_metadata(tree, url or None, dates)
    except _STUMBLES:
        return None


def _blocks(document: Any) -> list[Block]:
    if document is None or document.body is None:
        return []
    try:
        return blocks_of(document.body)
    except RecursionError:  # lists in lists without end
        return []


def _best_of(
    first: list[Block], evidence: Evidence, tree: _Element, html: str, url: str
) -> list[Block]:
    others: tuple[Callable[[], list[Block]], ...] = (
        lambda: _blocks(_trafilatura(tree, favor_recall=True)),
        lambda: _blocks(_trafilatura(tree)),
        lambda: _readability(html, url),
    )
    best, points = first, _worth(first, evidence)
    for other in others:
        candidate = other()
        if (reached := _worth(candidate, evidence)) > points:
            best, points = candidate, reached
        if points >= GOOD_ENOUGH:
            break
    return best


def _worth(blocks: Sequence[Block], evidence: Evidence) -> float:
    """The score; a few words that are all sound may still be all that was found."""
    return score(blocks, evidence) * min(1.0, words_in(blocks) / _FEW_WORDS)


def _readability(html: str, url: str) -> list[Block]:
    """readability-lxml's choice of the page, read by trafilatura."""
    try:
        summary = Readability(html, url=url or None).summary(html_partial=True)
        tree = parsed(f"<html><body><article>{summary}</article></body></html>")
    except (Unparseable, *_STUMBLES):
        return []
    return [] if tree is None else _blocks(_trafilatura(tree, fast=True, favor_recall=True))


# --- the tree


def _mend_code(tree: _Element) -> None:
    """Code as one piece of text: highlighters cut it into spans, tables and line numbers."""
    for pre in list(tree.iter("pre")):
        for node in list(pre.iter()):
            if isinstance(node.tag, str) and _is_gutter(node) and node is not pre:
                _drop(node)
        lines = pre.xpath(".//tr | .//div[contains(@class, 'line')] | .//li")
        text = _lines(lines) if lines and isinstance(lines, list) else "".join(pre.itertext())
        language, tail = language_of(pre), pre.tail
        pre.clear()
        pre.tail = tail
        code = etree.SubElement(pre, "code")
        code.text = text
        if language:
            code.set(LANGUAGE, language)


def _lines(lines: Sequence[Any]) -> str:
    return "\n".join("".join(line.itertext()).rstrip("\n") for line in lines)


def _is_gutter(node: _Element) -> bool:
    names = node.get("class", "").split()
    return any(name in _GUTTERS for name in names)


def _drop(node: _Element) -> None:
    parent = node.getparent()
    if parent is None:
        return
    before = node.getprevious()
    tail = node.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(node)


# --- what a page says about itself


def _text(document: Any, name: str) -> str | None:
    value = getattr(document, name, None) if document is not None else None
    text = " ".join(str(value).split()) if value else ""
    return text[:500] or None


def _tags(document: Any) -> tuple[str, ...]:
    named = getattr(document, "tags", None) if document is not None else None
    tags = (" ".join(str(tag).split()) for tag in named or ())
    return tuple(dict.fromkeys(tag for tag in tags if 0 < len(tag) <= 60))[:20]
