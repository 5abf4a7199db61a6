"""Markup from strangers as plain text: titles and summaries that harm nobody, and end."""

from __future__ import annotations

import html
import re
import unicodedata

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

_TAG = re.compile(r"<[a-zA-Z/!?]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_UNSEEN = frozenset({"script", "style", "template", "noscript", "iframe", "object", "svg", "math"})
_BLOCKS = frozenset(
    """address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6
    header hr li main nav ol p pre section table td th tr ul""".split()
)
_COMMENT = re.compile(
    r"<!--.*?(?:-->|$)|<(script|style)\b.*?(?:</\1>|$)", re.DOTALL | re.IGNORECASE
)
_ANY_TAG = re.compile(r"<[^<>]{0,2000}>")
# What no parser of XML takes.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKUP = 100_000  # characters of it that are looked at; what is shown is far shorter


def plain(markup: str, limit: int) -> str:
    """The text of HTML in one line, at most `limit` characters of it.

    What is left may look like markup again (an article about `<script>`): it is text, and
    whoever shows it escapes it.
    """
    markup = _SURROGATES.sub("\ufffd", markup[:_MARKUP])
    if _TAG.search(markup):
        # Of what is nested too deep for the parser at least the words are left.
        markup = " ".join(_text_in(markup).split()) or html.unescape(
            _ANY_TAG.sub(" ", _COMMENT.sub(" ", markup))
        )
    elif _ENTITY.search(markup):
        markup = html.unescape(markup)
    return tidy(" ".join(markup.split()), limit)


def tidy(text: str, limit: int) -> str:
    """Text that was no markup: one line, composed characters, nothing invisible, cut at a word."""
    # Whatever turns text around, hides in it or is no character at all is not printable.
    composed = unicodedata.normalize("NFC", _SURROGATES.sub("\ufffd", text[: 8 * limit + 1000]))
    line = " ".join(composed.split())
    if not line.isprintable():
        line = " ".join("".join(c for c in line if c.isprintable()).split())
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > limit // 2 else cut).rstrip() + "…"


def _text_in(markup: str) -> str:
    try:
        tree = document_fromstring(
            f"<div>{_CONTROLS.sub('', markup)}</div>", parser=HTMLParser(encoding=None)
        )
    except (etree.LxmlError, ValueError):  # nothing in it but a comment, or nothing at all
        return ""
    pieces: list[str] = []
    # Events instead of recursion: markup may be nested deeper than a stack is.
    hidden = 0
    for event, node in etree.iterwalk(tree, events=("start", "end", "comment", "pi")):
        name = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            hidden += name in _UNSEEN
            if name in _BLOCKS:
                pieces.append(" ")
            if not hidden:
                pieces.append(node.text or "")
            continue
        if event == "end":
            hidden -= name in _UNSEEN
            if name in _BLOCKS:
                pieces.append(" ")
        if not hidden:
            pieces.append(node.tail or "")
    return "".join(pieces)
