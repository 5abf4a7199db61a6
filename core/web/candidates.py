"""Which of several extractions of a page is the article.

One extractor is right on nearly all pages and quite wrong on a few, where it takes the menu or
a teaser. To notice without a model: a page's own long paragraphs outside of its furniture are
what an article has to cover, and an article is made of sentences, not of scraps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from lxml.etree import _Element

from core.web.blocks import Block, tidy

LONG = 80  # characters from which a paragraph counts as text of its own
GOOD_ENOUGH = 0.8  # below it other extractors are asked; see EXTRACTION.md
_PROBE = 60

_FURNITURE_TAGS = frozenset({"nav", "footer", "aside", "form", "header", "noscript", "template"})
_FURNITURE_NAMES = re.compile(
    r"comment|disqus|footer|sidebar|side-bar|related|recommend|promo|newsletter|subscribe|cookie|consent"
    r"|gdpr|modal|popup|overlay|teaser|widget|breadcrumb|share|social|author-?(?:bio|box)|copyright|hidden",
    re.IGNORECASE,
)


# The page's own long paragraphs, squeezed for comparison, by the <article> they stand in: a
# page that goes on for ever has several, and only one of them is meant.
Evidence = Sequence[frozenset[str]]


def evidence_in(tree: _Element) -> Evidence:
    """Long paragraphs with few links, outside of what is named or built as furniture."""
    found: dict[_Element | None, set[str]] = {}
    furniture: dict[_Element, bool] = {}
    for paragraph in tree.iter("p"):
        parent = paragraph.getparent()
        if parent is None or _in_furniture(parent, furniture):
            continue
        text = tidy("".join(paragraph.itertext()))
        if len(text) >= LONG and _linked(paragraph) < 0.3 * len(text):
            article = next(paragraph.iterancestors("article"), None)
            found.setdefault(article, set()).add(squeezed(text))
    return [frozenset(group) for group in found.values()]


def squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


def _in_furniture(element: _Element, known: dict[_Element, bool]) -> bool:
    way: list[_Element] = []
    node: _Element | None = element
    verdict = False
    while node is not None and node.tag not in {"body", "html", "article", "main"}:
        if node in known:
            verdict = known[node]
            break
        way.append(node)
        if _is_furniture(node):
            verdict = True
            break
        node = node.getparent()
    known.update(dict.fromkeys(way, verdict))
    return verdict


def _is_furniture(node: _Element) -> bool:
    names = f"{node.get('class', '')} {node.get('id', '')}"
    return node.tag in _FURNITURE_TAGS or bool(_FURNITURE_NAMES.search(names[:400]))


def _linked(element: _Element) -> int:
    return sum(len("".join(link.itertext())) for link in element.iter("a"))


def score(blocks: Sequence[Block], evidence: Evidence) -> float:
    """0 to 1: how much of the evidence is there, and how much of what is there is text."""
    if not blocks:
        return 0.0
    sound = _soundness(blocks)
    whole = squeezed(" ".join(block.text for block in blocks))
    # Where an article is recognised, the other articles of the page are no evidence.
    touched = [group for group in evidence if any(p[:_PROBE] in whole for p in group)]
    missing = sum(len(p) for group in touched or evidence for p in group if p[:_PROBE] not in whole)
    coverage = len(whole) / (len(whole) + missing) if whole else 0.0
    return 2 * coverage * sound / (coverage + sound) if coverage + sound else 0.0


def _soundness(blocks: Sequence[Block]) -> float:
    """The share of the text that is in sentences, code or headings rather than in scraps."""
    total = sum(len(block.text) for block in blocks)
    scraps = sum(len(block.text) for block in blocks if _is_scrap(block))
    return 1.0 - scraps / total if total else 0.0


def _is_scrap(block: Block) -> bool:
    """A menu's entry, a label; or a whole page run together, which has no sentences either."""
    if block.kind in {"code", "heading", "row"}:
        return False
    if len(block.text) < LONG:
        return block.link_share > 0.5 or not block.text.rstrip("\"'”’)`").endswith(_ENDS)
    words = len(block.text.split())
    return words > 120 and sum(map(block.text.count, _ENDS)) < words / 80


_ENDS = (".", "!", "?", ":", "。", "…", ";", ",")
