"""Which sentences say what an article is about: learned from summaries that people wrote.

Where `salience` weighs by rules, this ranks by a small forest (`training/sentences/gist.py` grows it): the
expected overlap of a sentence with a human summary, from where it stands, how it opens, how it
shares words with the title and the rest. The best ones, in the article's order, are what the
model is shown of a part: a third of the text with nearly all of its gist.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from core.chunks import Document
from core.judging.forest import DATA, Forest, Rows, load
from core.judging.salience import Weighed, cosine, vector, weigh

# Words of a text (or a part of one) that the model is shown.
SHOWN_WORDS = 90

_CUES = {
    "we_propose": r"\bwe (?:propose|introduce|present|develop|describe)\b",
    "this_paper": r"\b(?:this|our|the present) (?:paper|work|study|article|post|pep|rfc|proposal|"
    r"document|page|tutorial|guide)\b|\bin this (?:paper|work|post|article|tutorial|guide)\b|"
    r"이 (?:글|문서|페이지|장|튜토리얼)",
    "we_show": r"\bwe (?:show|demonstrate|find|prove|observe|evaluate|analy[sz]e|study|"
    r"investigate|explore)\b",
    "our_method": r"\b(?:our|the proposed) (?:method|approach|model|framework|algorithm|results?|"
    r"experiments?|system)\b",
    "results": r"\b(?:results?|experiments?|outperform|state-of-the-art|improve)",
    "before": r"^(?:however|but|although|while|despite|unfortunately|recent|recently|many|most|"
    r"existing|previous|prior|그러나|하지만)\b",
    "does": r"\b(?:propos|introduc|add|allow|enabl|provid|describ|specif|chang|support|is an?\b)|"
    r"합니다\.$|입니다\.$",
    "digit": r"\d",
    "new": r"\b(?:novel|new|first|simple)\b|새로운|처음",
    "code": r"\b(?:code|available at|https?:|github)\b|[`{}();]",
    "goes_on": r"^(?:specifically|furthermore|moreover|additionally|finally|in addition|"
    r"for example|to this end|in particular|also|second|또한|예를 들어)\b",
}
_PATTERNS = tuple(re.compile(pattern, re.I) for pattern in _CUES.values())
_STANDING = (
    "from_start",
    "relative",
    "log_index",
    "is_first",
    "is_last",
    "from_end",
    "words",
    "words_squared",
    "short",
    "long",
    "title",
    "weight",
    "weight_above_mean",
    "rank",
    "sentences",
)
NAMES = (*_STANDING, *_CUES, "opens_paragraph", "is_item", "is_whole")


def features(document: Document, weighed: Weighed) -> Rows:
    """A row for each sentence, columns as in NAMES."""
    total = len(document.sentences)
    if total == 0:
        return np.zeros((0, len(NAMES)))
    title = vector(document.title, document.language)
    weights = np.array([w if math.isfinite(w) else -3.0 for w in weighed.scores])
    ranks = np.argsort(np.argsort(weights))
    rows = []
    for i, sentence in enumerate(document.sentences):
        size = len(sentence.text.split())
        rows.append(
            [
                1 / (1 + i),
                i / max(1, total - 1),
                math.log1p(i),
                float(i == 0),
                float(i == total - 1),
                1 / (total - i),
                size / 30,
                (size / 30) ** 2,
                min(size, 12) / 12,
                max(0, size - 35) / 20,
                cosine(weighed.vectors[i], title),
                weights[i],
                weights[i] - weights.mean(),
                ranks[i] / total,
                math.log1p(total),
                *(float(pattern.search(sentence.text) is not None) for pattern in _PATTERNS),
                float(sentence.first),
                float(sentence.kind == "item"),
                float(sentence.whole),
            ]
        )
    return np.array(rows)


def forest() -> Forest:
    return load(DATA / "gist.npz")


def rank(document: Document, weighed: Weighed | None = None) -> Rows:
    """Expected overlap of each sentence with a human summary, 0 to 100; shape (sentences,).

    A sentence that must not be quoted (see `salience`) gets minus infinity.
    """
    weighed = weighed or weigh(document)
    if not document.sentences:
        return np.zeros(0)
    found = forest().predict(features(document, weighed))
    return np.where(np.isfinite(weighed.scores), found, -np.inf)


def shown(
    document: Document,
    ranks: Rows,
    among: Sequence[int] | None = None,
    words: int = SHOWN_WORDS,
) -> str:
    """What a model is shown of a text, or of the sentences `among` it: in training as in service."""
    chosen = gist(document, ranks, words=words, among=among)
    return " ".join(document.sentences[i].text for i in chosen)


def gist(
    document: Document, ranks: Rows, *, words: int, among: Sequence[int] | None = None
) -> list[int]:
    """Indices of the best sentences, in the article's order, with at most so many words in all
    (one sentence at least, however long)."""
    pool = range(len(document.sentences)) if among is None else among
    taken: list[int] = []
    room = words
    for index in sorted(pool, key=lambda i: (-ranks[i], i)):
        size = len(document.sentences[index].text.split())
        if not math.isfinite(ranks[index]) or (taken and size > room):
            continue
        taken.append(index)
        room -= size
        if room <= 0:
            break
    return sorted(taken)
