"""What must be beaten: baselines that anybody could write down in an afternoon.

Each is made for one file: those that learn do so on the training rows where some are given,
else on the same file with the row left out (a classifier: with the row's whole site left out),
so that none has seen the answer it is asked for.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from core.chunks import Document
from core.language import words
from training.evaluating.items import Doc, Item, Shown
from training.evaluating.scores import Numbers, distinct, normal
from training.evaluating.systems import Prediction, document_of, page_bytes

Baseline = Callable[[Item], Prediction | None]
_NAMES = 10
_RANKED = 100
# TextRank is quadratic: of a longer text the first so many sentences are ranked.
_MOST_SENTENCES = 400


# --- summaries


def title(item: Item) -> str:
    return item.shown.title


def lead(count: int) -> Baseline:
    def take(item: Item) -> str:
        sentences = document_of(item.shown).sentences[:count]
        return " ".join(sentence.text for sentence in sentences)

    return take


def textrank(count: int) -> Baseline:
    def take(item: Item) -> str:
        document = document_of(item.shown)
        return " ".join(document.sentences[i].text for i in ranked_sentences(document)[:count])

    def in_order(item: Item) -> str:
        document = document_of(item.shown)
        best = sorted(ranked_sentences(document)[:count])
        return " ".join(document.sentences[i].text for i in best)

    return take if count == 1 else in_order


def ranked_sentences(document: Document) -> list[int]:
    """TextRank (Mihalcea and Tarau 2004): shared words over log lengths, power iteration."""
    found = document.sentences[:_MOST_SENTENCES]
    bags = [set(words(sentence.text, document.language)) for sentence in found]
    size = len(bags)
    likeness = np.zeros((size, size))
    for i in range(size):
        for j in range(i):
            if len(bags[i]) > 1 and len(bags[j]) > 1:
                shared = len(bags[i] & bags[j])
                lengths = math.log(len(bags[i])) + math.log(len(bags[j]))
                likeness[i, j] = likeness[j, i] = shared / lengths
    sums = likeness.sum(axis=0)
    moves = np.divide(likeness, sums, out=np.full_like(likeness, 1 / max(1, size)), where=sums > 0)
    rank = np.full(size, 1 / max(1, size))
    for _ in range(60):
        rank = 0.15 / max(1, size) + 0.85 * moves @ rank
    return [int(i) for i in np.argsort(-rank, kind="stable")]


def first_turns(count: int) -> Baseline:
    return lambda item: " ".join(text for _, text in item.shown.dialogue[:count])


def longest_turn(item: Item) -> str:
    return max((text for _, text in item.shown.dialogue), key=len)


def turns_by_textrank(count: int) -> Baseline:
    take = textrank(count)

    def of_turns(item: Item) -> Prediction | None:
        text = "\n\n".join(said for _, said in item.shown.dialogue)
        return take(Item(item.id, Shown("", text, item.shown.language)))

    return of_turns


# --- names


def tf_idf(rows: Iterable[Item]) -> Baseline:
    """The ten weightiest words and pairs of words of a row, rarity counted over the file."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = (_everything(item.shown) for item in rows)
    weigh = TfidfVectorizer(ngram_range=(1, 2), stop_words="english", sublinear_tf=True)
    try:
        weigh.fit(texts)
    except ValueError:  # no row, or no word in them
        return lambda _item: []
    names = weigh.get_feature_names_out()

    def best(item: Item) -> list[str]:
        found = weigh.transform([_everything(item.shown)])
        order = np.argsort(-found.data, kind="stable")[:_NAMES]
        return [str(names[found.indices[place]]) for place in order]

    return best


def _everything(shown: Shown) -> str:
    return f"{shown.title}\n{shown.content}"


def most_common(train: Iterable[Item] | None, rows: Iterable[Item], most: int) -> Baseline:
    """The answers given most often: of the training rows, or of all other rows."""
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for item in rows if train is None else train:
        for name in item.gold or ():
            spelled.setdefault(normal(name), name)
        counts.update(distinct(item.gold or ()))

    def said(item: Item) -> list[str]:
        own = set(distinct(item.gold or ())) if train is None else set()
        left = ((n - (form in own), form) for form, n in counts.items())
        best = sorted(left, key=lambda pair: (-pair[0], pair[1]))[:most]
        return [spelled[form] for n, form in best if n > 0]

    return said


def capitalised(item: Item) -> list[str]:
    """The names that are written with a capital most often inside sentences."""
    counts: Counter[str] = Counter()
    for sentence in document_of(item.shown).sentences:
        counts.update(w.strip(".,:;()`\"'") for w in sentence.text.split()[1:] if w[0].isupper())
    return [name for name, _ in counts.most_common(_NAMES) if len(name) > 1]


# --- levels


def common_level(train: Iterable[Item] | None, rows: Iterable[Item]) -> Baseline:
    """The level that most rows have; a row's own is not counted."""
    counts = Counter(item.gold for item in (rows if train is None else train))
    counts.pop(None, None)

    def said(item: Item) -> float:
        own = Counter([item.gold] if train is None else [])
        left = counts - own
        return float(min(left, key=lambda level: (-left[level], level))) if left else 3.0

    return said


def classifier(train: Iterable[Item] | None, rows: Iterable[Item]) -> Baseline:
    """TF-IDF and logistic regression over levels; the expected level of its probabilities.

    Without training rows: for each site a model of all the other sites; with one site only, for
    each fifth of the rows a model of the other fifths.
    """
    if train is not None:
        model = _fitted([(_everything(item.shown), item.gold) for item in train])
        return lambda item: model(_everything(item.shown))
    read = [(item.site, item.id, _everything(item.shown), item.gold) for item in rows]
    several = len({site for site, *_ in read}) > 1

    def group(site: str, row_id: str) -> str:
        return site if several else str(zlib.crc32(row_id.encode()) % 5)

    known = [(group(site, row_id), text, gold) for site, row_id, text, gold in read]
    models = {
        own: _fitted([(text, gold) for other, text, gold in known if other != own])
        for own in sorted({own for own, _, _ in known})
    }
    return lambda item: models[group(item.site, item.id)](_everything(item.shown))


def _fitted(rows: Sequence[tuple[str, float | None]]) -> Callable[[str], float | None]:
    texts = [text for text, gold in rows if gold is not None]
    levels = [gold for _, gold in rows if gold is not None]
    if len(set(levels)) < 2:
        return lambda _text: None
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model: Any = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=40_000),
        LogisticRegression(max_iter=300, class_weight="balanced", C=3.0),
    )
    # scikit-learn takes whole classes; levels of half steps are none, so they are named
    model.fit(texts, [f"{level:g}" for level in levels])
    values = np.array([float(name) for name in model.classes_])
    return lambda text: float(model.predict_proba([text])[0] @ values)


# --- claims


def word_overlap(item: Item) -> float:
    """The share of the claim's words that the article has."""
    claim = words(item.shown.claim, item.shown.language)
    article = set(words(_everything(item.shown), item.shown.language))
    return sum(word in article for word in claim) / max(1, len(claim))


def common_label(train: Iterable[Item] | None, rows: Iterable[Item]) -> Baseline:
    """The share of true claims, the same for every claim.

    A row's own counts as well: left out, a true claim would get less than a false one, and where
    both are equally many the baseline would always be wrong.
    """
    counts = Counter(item.gold for item in (rows if train is None else train))
    known = counts[True] + counts[False]
    share = counts[True] / known if known else 0.5
    return lambda _item: share


# --- pools of documents


class Okapi:
    """BM25 (Robertson and Zaragoza 2009; k1 1.5, b 0.75) over stems or Korean morphemes."""

    def __init__(self, docs: Sequence[Doc]) -> None:
        self.docs = docs
        bags = [Counter(words(f"{doc.title}\n{doc.text}", doc.language)) for doc in docs]
        self.lengths = np.array([bag.total() for bag in bags], dtype=float)
        self.holders: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, bag in enumerate(bags):
            for word, count in bag.items():
                self.holders[word].append((place, count))

    def __call__(self, item: Item) -> list[str]:
        scores = np.zeros(len(self.docs))
        mean = max(1.0, float(self.lengths.mean()))
        for word in words(item.shown.content, item.shown.language):
            for place, count in (held := self.holders.get(word, ())):
                rarity = math.log(1 + (len(self.docs) - len(held) + 0.5) / (len(held) + 0.5))
                norm = 1.5 * (1 - 0.75 + 0.75 * self.lengths[place] / mean)
                scores[place] += rarity * count * 2.5 / (count + norm)
        return self._best(scores)

    def shared_words(self, item: Item) -> list[str]:
        """By how many words of the query a document has, nothing else."""
        scores = np.zeros(len(self.docs))
        for word in set(words(item.shown.content, item.shown.language)):
            for place, _ in self.holders.get(word, ()):
                scores[place] += 1
        return self._best(scores)

    def _best(self, scores: Numbers) -> list[str]:
        order = np.argsort(-scores, kind="stable")[:_RANKED]
        return [self.docs[place].id for place in order]


# --- pages


def bare(**options: Any) -> Baseline:
    """trafilatura alone."""
    import trafilatura

    def read(item: Item) -> str:
        return trafilatura.extract(page_bytes(item.shown), **options) or ""

    return read


def all_text(item: Item) -> str:
    """Every text of the page."""
    from lxml import html

    try:
        tree = html.document_fromstring(page_bytes(item.shown))
    except (ValueError, html.etree.ParserError):
        return ""
    for unread in tree.xpath("//script|//style|//noscript"):
        unread.drop_tree()
    return str(tree.text_content())
