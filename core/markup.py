"""The words of light Markdown, as they are shown and compared."""

from __future__ import annotations

import re

from core.code_spans import restored, shelve

# Everything has an end: a text of brackets or stars alone is read in no time, too.
_IMAGE = re.compile(r"!\[[^\]]{0,500}\]\([^)]{0,2000}\)")
_LINK = re.compile(r"\[([^\]]{1,1000})\]\([^)\s]{0,1000}(?:\s+\"[^\"]{0,500}\")?\)")
# [[1]](…) and [^1]
_NOTE = re.compile(r"[ \t]*\[\[\d[\d, -]{0,20}\]\]\([^)\s]*\)|\[\^[\w.-]{1,60}\]")
_EMPHASIS = re.compile(r"(\*\*|__|(?<!\w)[*_](?=\S))(.{1,1000}?)(?<=\S)\1(?![A-Za-z0-9_])")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")


def plain(text: str) -> str:
    """Text without Markdown's links, emphasis and stray HTML tags; code spans keep their words."""
    return plain_and_shielded(text)[0]


def plain_and_shielded(text: str) -> tuple[str, str]:
    """The words, and the words with a name of as many letters in place of each code span."""
    bare, shelf = shelve(text)
    bare = _LINK.sub(r"\1", _IMAGE.sub("", _NOTE.sub("", bare)))
    bare = _EMPHASIS.sub(r"\2", bare)
    bare = _TAG.sub("", bare) if "<" in bare and "`" not in text else bare
    # the pilcrow is a documentation page's link to its own heading
    bare = bare.replace("`", "").replace("¶", "")
    codes = [" ".join(code.replace("`", "").split()) for code in shelf]
    names = ["X" + "x" * (len(code) - 1) if code else "" for code in codes]
    return _flat(restored(bare, codes)), _flat(restored(bare, names))


def _flat(text: str) -> str:
    return " ".join(text.split())
