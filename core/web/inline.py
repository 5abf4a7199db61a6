"""A line of Markdown as a reader sees it, and what a document says of its own marks.

[Boxy], [text][label]   need their definitions, which stand anywhere in the document
[1], [[1]](…), [^1]     marks of a source or a note: no text
{: .wide}, {{ … }}, <Note>, \\#   words to kramdown, Liquid, MDX: no text
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from core.code_spans import restored, shelve, shelve_more

_NUMBER = r"\d{1,3}(?:-\d{1,3})?"
_TARGET = r"\((?:[^()]|\([^()]{0,500}\)){0,2000}\)"
_DEFINED = re.compile(
    r"^[ \t>]*\[(?!\^)((?:[^\[\]\n]|\[[^\[\]\n]{0,100}\]){1,200})\]:", re.MULTILINE
)
_SOURCE = re.compile(rf"^[ \t>]*(?:[-*+][ \t]+)?\[({_NUMBER})\](?::|[ \t])", re.MULTILINE)

_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_IMAGE = re.compile(
    rf"!\[(?:[^\[\]]|\[[^\[\]]{{0,200}}\]){{0,500}}\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])"
)
_LINK = re.compile(
    rf"\[((?:[^\[\]]|\[[^\[\]]{{0,200}}\]){{0,1000}})\](?:{_TARGET}|\[([^\[\]]{{0,200}})\])"
)
_SHORTCUT = re.compile(r"(!?)\[([^\[\]]{1,200})\]")
_FOOTNOTE = re.compile(r"\[\^[^\[\]\s]{1,100}\]")
_NUMBERS = rf"{_NUMBER}(?:[ \t]*,[ \t]*{_NUMBER})*"
_CITATION = re.compile(rf"[ \t]*\[(\[)?({_NUMBERS})\](?(1)\])({_TARGET})?")
_CITATIONS = re.compile(
    rf"[ \t]*\\?\[[ ]?\[{_NUMBER}\]{_TARGET}(?:[ ]?,[ ]?\[{_NUMBER}\]{_TARGET})*[ ]?\\?\]"
)
_SUPERSCRIPT = re.compile(r"<sup>\s*[\[(]?\d{1,3}[\])]?\s*</sup>", re.IGNORECASE)

_ATTRIBUTE = r"(?:[.#][A-Za-z][\w-]*|[A-Za-z][\w-]*=(?:\"[^\"{}]*\"|'[^'{}]*'|[^\s\"'{}]+)|toc)"
_ATTRIBUTES = re.compile(rf"\{{:{{1,2}}\s*{_ATTRIBUTE}(?:\s+{_ATTRIBUTE})*\s*\}}")
_HEADING_ID = re.compile(r"\s*\{\s*[#.][\w.-]+(?:\s+[#.][\w.-]+)*\s*\}\s*$")
# a post about templates writes {{ name }}; what only a site's own template says has a path or a filter
_LIQUID = re.compile(
    r"\{%.{0,500}?%\}|\{\{-?\s*(?:[\"'<%]|site\.|page\.|[^{}|]{0,300}\|)[^{}]{0,500}\}\}"
)
_JSX_SPACE = re.compile(r"\{\s*([\"'])(?:\s|\\n)*\1\s*\}")

_AUTOLINK = re.compile(r"<((?:https?://|mailto:)[^\s<>]{1,2000})>")
_BREAK = re.compile(
    r"</?(?:br|p|div|li|[uo]l|t[dhr]|table|h[1-6r]|details|summary|section|center|fig\w+|blockquote|d[dlt]|[A-Z]\w*)"
    r"(?![\w-])[^<>]{0,2000}>"
)
TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_EMPHASIS = re.compile(
    r"(?<![A-Za-z0-9*])(\*{1,3})(?=\S)([^*\n]{1,1000}?)(?<=\S)\1(?![A-Za-z0-9*])"
    r"|(?<![\w_])(_{1,3})(?=\S)([^_\n]{1,1000}?)(?<=\S)\3(?![\w_])"
    r"|~~(?=\S)([^~\n]{1,1000}?)(?<=\S)~~"
)
_WRITTEN_TAG = re.compile(r"&lt;(/?[A-Za-z][^&<>\n]{0,60})&gt;")

# "as [3] shows" cannot do without its number
_LEADS_TO_A_NUMBER = frozenset(
    "in see from of by and or with to at as per ref cf both than".split()
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The labels that links may name, and the numbers under which sources are listed."""

    labels: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()


def marks_in(text: str) -> Marks:
    return Marks(
        frozenset(_label(found) for found in _DEFINED.findall(text)),
        frozenset(_SOURCE.findall(text)),
    )


def _label(text: str) -> str:
    return " ".join(text.split()).casefold()


def inline(text: str, marks: Marks) -> str:
    """No pictures, link targets, tags, emphasis or marks of notes; code stays as it is."""
    bare, shelf = shelve(text)
    bare = _CITATIONS.sub("", bare) if "[[" in bare else bare
    bare = shelve_more(bare, _ESCAPE, lambda m: m[1], shelf)
    for pattern in (_LIQUID, _ATTRIBUTES, _IMAGE, _FOOTNOTE):
        bare = pattern.sub("", bare)
    bare = _without_citations(bare, marks)
    bare = _without_links(bare, marks, shelf)
    bare = _without_tags(bare)
    bare = _EMPHASIS.sub(lambda m: m[2] or m[4] or m[5], bare)
    bare = html.unescape(_WRITTEN_TAG.sub(r"`<\1>`", bare)) if "&" in bare else bare
    return " ".join(restored(bare, shelf).split())


def heading(text: str, marks: Marks) -> str:
    """A heading without the name a generator gives its address ("{#intro}")."""
    return inline(_HEADING_ID.sub("", text), marks)


def _without_links(text: str, marks: Marks, shelf: list[str]) -> str:
    def linked(match: re.Match[str]) -> str:
        label = match[2]
        before = text[match.start() - 1 : match.start()]
        # matrix[i][j] is no link, unless the document says so
        if label and before.isalnum() and _label(restored(label, shelf)) not in marks.labels:
            return match[0]
        return match[1]

    def short(match: re.Match[str]) -> str:
        if _label(restored(match[2], shelf)) not in marks.labels:
            return match[0]
        return "" if match[1] else match[2]

    text = _LINK.sub(linked, text)
    return _SHORTCUT.sub(short, text) if marks.labels and "[" in text else text


def _without_citations(text: str, marks: Marks) -> str:
    """Numbers of sources; one that is a part of the sentence, or heads the line, stays."""

    def cited(match: re.Match[str]) -> str:
        before = text[: match.start()].rstrip()[-40:]
        if not before or before.rpartition(" ")[2].lower() in _LEADS_TO_A_NUMBER:
            return match[0]
        listed = any(n.strip() in marks.sources for n in match[2].split(","))
        glued = match[0].startswith("[") and (before[-1].isalnum() or before[-1] in '.,!?)"”’')
        return "" if listed or (match[3] and (match[1] or glued)) else match[0]

    return _CITATION.sub(cited, text) if "[" in text else text


def _without_tags(text: str) -> str:
    def note(match: re.Match[str]) -> str:
        """The number of a note goes, n² stays."""
        word = re.search(r"[A-Za-z0-9)\]]{0,4}$", text[: match.start()])
        power = word is not None and 0 < len(word[0]) < 4
        return re.sub(r"\D", "", match[0]) if power else ""

    text = _JSX_SPACE.sub(" ", text)
    if "<" not in text:
        return text
    text = _SUPERSCRIPT.sub(note, _AUTOLINK.sub(r"\1", text))
    return TAG.sub("", _BREAK.sub(" ", text))
