"""Parts of an article with a sentence taken out, which is then to be written: what a part says.

What authors say of a whole article teaches nothing of how a part is told. A sentence that would
stand in a digest, and that the rest of its part bears out without repeating it, is such an answer
(gap sentences: Zhang et al. 2020, PEGASUS, arXiv 1912.08777, there for whole documents and by
overlap alone).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.article import Article
from core.chunks import Document, Part, cut
from core.judging.forest import Rows
from core.judging.gist import shown
from core.judging.standing import unframed
from training.sets.statements import stands

# The likeliest of a part that are tried, and words of one.
_TRIED = 3
_LEAST, _MOST = 9, 32
# A part with less to show is told by its only sentence.
_REST = 40
# What one passage says almost word for word teaches to copy.
_REPEATED = 0.85


@dataclass(frozen=True, slots=True)
class Gap:
    """`text`: the best of what is left of the part. `worth`: the forest's, of what was taken out."""

    text: str
    said: str
    worth: float


def gaps(document: Document, ranks: Rows, words: int) -> Iterator[Gap]:
    """One for each part at most, in the article's order. `ranks`: core.judging.gist.rank."""
    for part in document.parts:
        found = _gap(document, ranks, part, words)
        if found is not None:
            yield found


def _gap(document: Document, ranks: Rows, part: Part, words: int) -> Gap | None:
    inside = range(part.start, part.end)
    fit = [
        i
        for i in inside
        if (sentence := document.sentences[i]).kind == "paragraph"
        and sentence.whole
        and _LEAST <= len(sentence.text.split()) <= _MOST
        and unframed(sentence.text) == sentence.text
    ]
    for index in sorted(fit, key=lambda i: -ranks[i])[:_TRIED]:
        text = shown(document, ranks, [i for i in inside if i != index], words)
        if len(text.split()) < _REST:
            return None
        said = " ".join(document.sentences[index].text.split())
        rest = cut(Article(content=text, title=document.title or None, language="en"), 330)
        if stands(rest, said, most=_REPEATED):
            return Gap(text, said, float(ranks[index]))
    return None
