"""Article in, digest out: the use case.

    cut | judge | draft (model) | ground (every claim against the article) | guard | combine | Digest

Whatever the model writes is a draft. A sentence that the article does not bear out is replaced
by the article's own best sentence of that part, so a small model can be wrong without the
reader being lied to. Every sentence of the article is weighed, however long it is; how much of
it the model itself saw is counted and said.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import numpy as np

from core.article import Article, Language
from core.chunks import Document, cut
from core.digest import (
    Details,
    Digest,
    DigestRecord,
    SummarySentence,
    TechnicalTerm,
    TermOrigin,
    head_of,
)
from core.drafting import Draft
from core.errors import EmptyArticle
from core.judging import difficulty
from core.judging.combine import Claim, combine
from core.judging.defining import defines
from core.judging.equating import equates
from core.judging.faithful import Evidence, Support
from core.judging.gist import rank
from core.judging.guardrail import Guard
from core.judging.headline import leading
from core.judging.keywords import likely, ranked
from core.judging.kinds import kind_of
from core.judging.opinion import checked, joined, together
from core.judging.prerequisites import prerequisites
from core.judging.salience import weigh
from core.judging.terms import Explained, explained, is_new
from core.language import detect
from core.ports import Encoder, Engine, Generation, Vectors
from core.progress import Checking, Event, Finished, Judged, Reading
from core.prompts import questions as questions_prompt
from core.prompts import summary as summary_prompt
from core.prompts.judgement import Judgement
from core.settings import DigestSettings, GenerationSettings, OutputLanguage
from core.subject import subject

# Bump when the same article would get another digest: kept digests of older versions are not shown.
VERSION = "8"
# Sentences turned into vectors; a longer article's are chosen by their words first (2 ms each).
_EMBEDDED = 400


@dataclass(frozen=True, slots=True)
class _Study:
    """What is known of an article before the model has written a word."""

    document: Document
    judged: difficulty.Judged
    keywords: tuple[str, ...]
    prerequisites: tuple[str, ...]
    terms: tuple[Explained, ...]


class Digester:
    def __init__(
        self,
        engine: Engine,
        encoder: Encoder,
        settings: DigestSettings,
        generation: GenerationSettings,
    ) -> None:
        self.engine = engine
        self.encoder = encoder
        self.settings = settings
        self.options = Generation(
            max_new_tokens=generation.max_new_tokens,
            beams=generation.beams,
            no_repeat_ngram=generation.no_repeat_ngram,
            repetition_penalty=generation.repetition_penalty,
            temperature=generation.temperature,
            top_p=generation.top_p,
        )

    def digest_id(self, article: Article, language: OutputLanguage) -> str:
        """Content hash, model, prompts and language decide it: 24 hex digits."""
        wanted = _wanted(article, language)
        key = (
            article.content_hash,
            VERSION,
            self.engine.name,
            self.encoder.name,
            summary_prompt.VERSION,
            wanted,
            repr(self.settings.model_dump(exclude={"language"})),
            repr(self.options),
        )
        return hashlib.sha256("\n".join(key).encode()).hexdigest()[:24]

    async def warm_up(self) -> None:
        """Loads what the first digest would wait for: word counts, Korean morphemes, vectors."""
        for content in ("A pool keeps connections open.", "풀은 연결을 열어 둔다."):
            document = await asyncio.to_thread(cut, Article(content=content), 100)
            told = await subject(document, self.encoder, await self._embed(document))
            await asyncio.to_thread(self._study, document, document.language, told)

    async def digest(self, article: Article, language: OutputLanguage = "auto") -> DigestRecord:
        async with aclosing(self.stream(article, language)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.record
        raise RuntimeError("a digest ended without a result")

    async def stream(
        self, article: Article, language: OutputLanguage = "auto"
    ) -> AsyncGenerator[Event, None]:
        """Reading, Judged, Drafting …, Checking, Finished (always last).

        Raises EmptyArticle, and EngineFailed with its kin.
        """
        started = time.monotonic()
        wanted = _wanted(article, language)
        document = await asyncio.to_thread(cut, article, self.settings.part_words)
        if not document.sentences:
            raise EmptyArticle(article.url or article.title or "article", "no sentence in it")
        head = head_of(article, document.language)
        yield Reading(head, document.words, len(document.parts))

        embedded = await self._embed(document)
        told = await subject(document, self.encoder, embedded)
        study = await asyncio.to_thread(self._study, document, wanted, told)
        yield Judged(study.judged.level, study.judged.factors, study.keywords)

        weighed = await asyncio.to_thread(weigh, document, embedded)
        ranks = await asyncio.to_thread(rank, document, weighed)
        kind = kind_of(document, article.source_type)
        draft = Draft(self.engine, self.options, self.settings, document, weighed, ranks, kind)
        async with aclosing(draft.write(study.keywords, study.terms)) as pieces:
            async for piece in pieces:
                yield piece
        yield Checking(sum(len(written) for written in draft.written.values()))

        evidence = await asyncio.to_thread(Evidence, document, embedded)
        claims = await self._ground(draft, evidence)
        written = await self._ground_terms(draft, evidence, study.terms)
        terms = (*study.terms, *written)[: self.settings.terms]
        guarding = _Guarding(Guard(article.content, article.url))
        opinion = await asyncio.to_thread(checked, draft.judgement, document, evidence)
        opinion = guarding.opinion(opinion)
        study = await asyncio.to_thread(self._agreed, study, opinion)
        borne = [claim.text for claim in claims if claim.borne]
        lead = await asyncio.to_thread(leading, document, kind, ranks, borne, guarding.fit)
        count = self.settings.sentences
        sentences = guarding.cleaned(combine(document, weighed, claims, count, guarding.fit, lead))
        terms = guarding.kept(terms)
        details = self._details(study, draft, claims, terms, wanted)
        record = DigestRecord(
            id=self.digest_id(article, language),
            article=head,
            digest=Digest(
                summary=" ".join(sentence.text for sentence in sentences),
                keywords=study.keywords,
                difficulty_level=study.judged.level,
                prerequisites=study.prerequisites,
                technical_terms=tuple(
                    TechnicalTerm(term=t.term, explanation=t.explanation) for t in terms
                ),
                processing_time=round(time.monotonic() - started, 3),
            ),
            details=details.model_copy(
                update={"sentences": sentences, "reason": opinion.reason, "guarded": guarding.count}
            ),
        )
        yield Finished(record)

    def _study(self, document: Document, wanted: Language, told: Vectors | None = None) -> _Study:
        found = ranked(document, max(self.settings.keywords, 12))
        names = tuple(keyword.name for keyword in found)
        judged = difficulty.judge(document, told)
        return _Study(
            document=document,
            judged=judged,
            keywords=likely(found[: self.settings.keywords]),
            prerequisites=prerequisites(document, level=judged.level.score),
            terms=tuple(explained(document, names, self.settings.terms, wanted)),
        )

    def _agreed(self, study: _Study, opinion: Judgement) -> _Study:
        """What was measured and what the model thinks, as one."""
        if opinion == Judgement():
            return study
        document, judged = study.document, study.judged
        if opinion.level is not None:
            judged = joined(judged, opinion.level)
        level = judged.level.score
        return replace(
            study,
            judged=judged,
            keywords=together(opinion.keywords, study.keywords, self.settings.keywords),
            prerequisites=prerequisites(document, opinion=opinion.prerequisites, level=level),
        )

    async def _embed(self, document: Document) -> Vectors | None:
        """A row for each sentence; of a very long article only the likeliest ones, the others zero.

        None for Korean where the encoder knows English only.
        """
        if document.language not in self.encoder.reads:
            return None
        texts = [sentence.text for sentence in document.sentences]
        if len(texts) <= _EMBEDDED:
            return await self.encoder.embed(texts)
        first = await asyncio.to_thread(weigh, document)
        order = sorted(range(len(texts)), key=lambda i: -first.scores[i])[:_EMBEDDED]
        found = await self.encoder.embed([texts[i] for i in order])
        rows = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
        rows[order] = found
        return rows

    async def _ground(self, draft: Draft, evidence: Evidence) -> list[Claim]:
        written = [(part, text) for part, texts in draft.written.items() for text in texts]
        vectors = await self._claim_vectors([text for _, text in written], evidence)
        claims = []
        for (part, text), vector in zip(written, vectors, strict=True):
            found = await asyncio.to_thread(evidence.support, text, vector)
            borne = self._borne(found) and not await asyncio.to_thread(
                equates, text, draft.document
            )
            claims.append(Claim(part, text, found, borne))
        return claims

    def _borne(self, support: Support) -> bool:
        return support.holds(self.settings.min_support, self.settings.min_together)

    async def _ground_terms(
        self, draft: Draft, evidence: Evidence, known: Sequence[Explained]
    ) -> list[Explained]:
        """The model's explanations that the article bears out, marked as the model's."""
        kept: list[Explained] = []
        vectors = await self._claim_vectors(list(draft.terms.values()), evidence)
        for (term, text), vector in zip(draft.terms.items(), vectors, strict=True):
            found = await asyncio.to_thread(evidence.support, text, vector)
            plain = defines(text, [term], draft.document.language)
            if plain and self._borne(found) and is_new(term, (*known, *kept)):
                kept.append(Explained(term, text, "model"))
        return kept

    async def _claim_vectors(
        self, texts: Sequence[str], evidence: Evidence
    ) -> Sequence[Vectors | None]:
        if evidence.embedded is None or not texts:
            return [None] * len(texts)
        return list(await self.encoder.embed(texts))

    def _details(
        self,
        study: _Study,
        draft: Draft,
        claims: Sequence[Claim],
        terms: Sequence[Explained],
        wanted: Language,
    ) -> Details:
        document = study.document
        return Details(
            language=document.language,
            article_language=document.language,
            model=self.engine.name,
            words=document.words,
            read=1.0,
            drafted=round(draft.share, 3),
            parts=len(document.parts),
            checked=len(claims),
            rejected=sum(not claim.borne for claim in claims),
            sentences=(),
            factors=study.judged.factors,
            term_origins=tuple(
                TermOrigin(term=t.term, origin=t.origin, credit=t.credit) for t in terms
            ),
            notes=_notes(study, draft, claims, wanted),
            probabilities=study.judged.probabilities,
            uncertain=study.judged.uncertain,
        )

    async def questions(self, record: DigestRecord) -> tuple[str, ...]:
        """Five questions a reader of the digest is likely to ask (blueprint B10)."""
        language = record.details.language
        title = record.article.title or ""
        found: list[str] = []
        if language in self.engine.writes:
            prompt = questions_prompt.render(title, record.digest.summary, language)
            reply = await self.engine.generate(
                prompt,
                Generation(
                    max_new_tokens=140,
                    repetition_penalty=1.1,
                    schema=questions_prompt.SHAPE.schema,
                ),
            )
            about = " ".join((title, record.digest.summary, *record.digest.keywords))
            found = questions_prompt.parse(reply, about, language)
        return questions_prompt.fill(found, record.digest.keywords, language)


def _wanted(article: Article, language: OutputLanguage) -> Language:
    return detect(article.content, article.language) if language == "auto" else language


class _Guarding:
    """The guardrail over one digest, with a count of what it kept back or cleaned."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._found: set[str] = set()

    @property
    def count(self) -> int:
        return len(self._found)

    def _checked(self, text: str) -> str:
        found = self._guard.check(text)
        if found.troubles:
            self._found.add(text)
        return found.text

    def fit(self, text: str) -> bool:
        return bool(self._checked(text))

    def cleaned(self, sentences: Sequence[SummarySentence]) -> tuple[SummarySentence, ...]:
        return tuple(
            one.model_copy(
                update={"text": self._checked(one.text), "source": self._checked(one.source)}
            )
            for one in sentences
        )

    def opinion(self, found: Judgement) -> Judgement:
        return replace(
            found,
            reason=self._checked(found.reason) if found.reason else "",
            keywords=tuple(filter(None, map(self._checked, found.keywords))),
            prerequisites=tuple(filter(None, map(self._checked, found.prerequisites))),
        )

    def kept(self, terms: Sequence[Explained]) -> tuple[Explained, ...]:
        cleaned = (replace(term, explanation=self._checked(term.explanation)) for term in terms)
        return tuple(term for term in cleaned if term.explanation)


def _notes(
    study: _Study, draft: Draft, claims: Sequence[Claim], wanted: Language
) -> tuple[str, ...]:
    notes = []
    if study.judged.uncertain:
        notes.append("difficulty_close")
    if wanted != study.document.language:
        notes.append("no_translation")
    if not draft.able:
        notes.append("korean_extractive")
    elif claims and not any(claim.borne for claim in claims):
        notes.append("nothing_supported")
    if draft.able and not draft.complete:
        notes.append("partly_drafted")
    return tuple(notes)
