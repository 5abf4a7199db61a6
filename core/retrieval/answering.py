"""A question in, an answer out: the use case behind /ask.

    understand | passages within reach | enough evidence? | draft (model) | ground | else extract

Every sentence of an answer is borne out by the passage that it cites. What the model writes and
no passage supports is dropped; where little is left, the passages' own sentences answer. Where
the evidence is thin nothing is answered at all.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.article import Article, Language
from core.chunks import cut
from core.errors import EngineFailed
from core.judging.faithful import Evidence
from core.language import words
from core.library import Filters, Passage, Reach
from core.ports import Encoder, Engine, Generation, Library
from core.prompts import answer as answer_prompt
from core.retrieval.extracting import Sentence, best_sentences, cited_sentences, score
from core.retrieval.questions import Question, understood
from core.retrieval.weighing import Weighed, weigh

log = logging.getLogger(__name__)
_CANDIDATES = 8  # passages looked at; so many of them are shown to the model:
_SHOWN = 3
_NEAR = 3
# Below this the evidence counts as thin. Chosen on one half of the questions of
# `tests/benchmarks/bench_explain.py ask`, see core/retrieval/ANSWERS.md for the other half.
ENOUGH = 0.66


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Value):
    """`number` as it stands in the answer; `quote` is the sentence that bears it."""

    number: int
    digest_id: str
    title: str | None
    link: str | None
    quote: str


class AnswerSentence(_Value):
    """`origin`: written by the model and borne out, or the article's own words."""

    text: str
    origin: Literal["model", "article"]
    cited: tuple[int, ...]


class Answer(_Value):
    """`evidence`, 0 to 1: how much of the question the passages speak of."""

    question: str
    language: Language
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    evidence: float

    @property
    def text(self) -> str:
        return " ".join(
            f"{one.text} {''.join(f'[{number}]' for number in one.cited)}" for one in self.sentences
        )


class Nearest(_Value):
    """An article that has at least something to do with the question."""

    digest_id: str
    title: str | None
    link: str | None


class NotRead(_Value):
    """Nothing within reach answers it."""

    question: str
    language: Language
    near: tuple[Nearest, ...] = ()
    evidence: float = 0.0


class Answerer:
    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        engine: Engine | None,
        *,
        enough: float = ENOUGH,
        sentences: int = 3,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._engine = engine
        self._enough = enough
        self._sentences = sentences

    async def ask(
        self,
        text: str,
        reach: Reach,
        *,
        earlier: Sequence[str] = (),
        filters: Filters | None = None,
    ) -> Answer | NotRead:
        """`earlier`: the questions before it in the same thread, the last one last.

        Raises StorageUnavailable; trouble with the model only makes the answer an extract.
        """
        question = await asyncio.to_thread(understood, text, earlier)
        found: list[Passage] = []
        if question.weights and question.alone:
            found = await self._library.passages(
                question.text,
                reach=reach,
                filters=filters,
                limit=_CANDIDATES,
                rewrites=question.rewrites,
            )
        weighed = await asyncio.to_thread(weigh, question, found)
        evidence = weighed[0].evidence if weighed else 0.0
        if evidence < self._enough:
            return self._not_read(question, weighed, evidence)
        ranked = await self._sentences_of(question, weighed[: _SHOWN + 2])
        extract = best_sentences(ranked, self._sentences)
        if not extract:
            return self._not_read(question, weighed, evidence)
        written = await self._written(question, weighed[:_SHOWN], extract)
        return _answer(question, written or extract, evidence)

    def _not_read(self, question: Question, weighed: Sequence[Weighed], evidence: float) -> NotRead:
        near: dict[str, Nearest] = {}
        for one in weighed:
            if one.covered >= 0.3 and not one.suspicious and one.passage.title:
                passage = one.passage
                near.setdefault(
                    passage.digest_id,
                    Nearest(digest_id=passage.digest_id, title=passage.title, link=passage.link),
                )
        return NotRead(
            question=question.text,
            language=question.language,
            near=tuple(near.values())[:_NEAR],
            evidence=round(evidence, 3),
        )

    # --- the articles' own words

    async def _sentences_of(self, question: Question, weighed: Sequence[Weighed]) -> list[Sentence]:
        candidates = await asyncio.to_thread(cited_sentences, question, weighed)
        likeness = await self._likeness(question, [one.text for one in candidates])
        return score(question, candidates, likeness)

    async def _likeness(self, question: Question, texts: Sequence[str]) -> list[float | None]:
        if question.language not in self._encoder.reads or not texts:
            return [None] * len(texts)
        vectors = await self._encoder.embed([question.text, *texts])
        return [float(one) for one in np.asarray(vectors[1:] @ vectors[0])]

    # --- the model's

    async def _written(
        self, question: Question, shown: Sequence[Weighed], extract: Sequence[Sentence]
    ) -> list[Sentence]:
        """What the model writes and the passages bear out, if that answers as well as they do."""
        engine = self._engine
        trusted = [one for one in shown if not one.suspicious]
        if engine is None or question.language not in engine.writes or not trusted:
            return []
        prompt = answer_prompt.render(
            question.text, [one.clean for one in trusted], question.language
        )
        try:
            reply = await engine.generate(
                prompt, Generation(max_new_tokens=160, no_repeat_ngram=4, repetition_penalty=1.1)
            )
        except EngineFailed as error:
            log.info("a question is answered without the model: %s", error)
            return []
        drafted = answer_prompt.parse(reply, question.language, len(trusted))
        kept = await asyncio.to_thread(_grounded, question, drafted, trusted)
        best = max(one.covered for one in extract)
        if not kept or max(one.covered for one in kept) < 0.9 * best:
            return []
        return kept[: self._sentences]


def _grounded(
    question: Question, drafted: Sequence[answer_prompt.Written], shown: Sequence[Weighed]
) -> list[Sentence]:
    """Each sentence with the passage that bears it out, the cited one tried first."""
    documents = [cut(Article(title=one.passage.title, content=one.clean), 1000) for one in shown]
    evidence = [Evidence(document) for document in documents]
    kept: list[Sentence] = []
    for sentence in drafted:
        order = [n - 1 for n in sentence.cited]
        order += [n for n in range(len(shown)) if n not in order]
        for place in order:
            support = evidence[place].support(sentence.text)
            if not support.holds():
                continue
            found = frozenset(words(sentence.text, question.language))
            source = documents[place].sentences[max(0, support.source)].text
            if all(found != one.words for one in kept):
                kept.append(
                    Sentence(
                        text=sentence.text,
                        passage=shown[place].passage,
                        place=len(kept),
                        words=found,
                        covered=question.covered(sentence.text),
                        origin="model",
                        quote=source,
                    )
                )
            break
    return kept


def _answer(question: Question, chosen: Sequence[Sentence], evidence: float) -> Answer:
    numbers: dict[tuple[str, str], int] = {}
    citations: list[Citation] = []
    sentences = []
    for one in chosen:
        passage = one.passage
        place = (passage.digest_id, passage.link or passage.title or "")
        if place not in numbers:
            numbers[place] = len(numbers) + 1
            citations.append(
                Citation(
                    number=numbers[place],
                    digest_id=passage.digest_id,
                    title=passage.title,
                    link=passage.link,
                    quote=one.quote,
                )
            )
        sentences.append(AnswerSentence(text=one.text, origin=one.origin, cited=(numbers[place],)))
    return Answer(
        question=question.text,
        language=chosen[0].passage.language,
        sentences=tuple(sentences),
        citations=tuple(citations),
        evidence=round(evidence, 3),
    )
