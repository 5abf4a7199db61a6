"""A library of a few articles in memory, the other side of `core.ports.Library`.

    library = LittleLibrary()
    await library.read(an_article(...), in_channels=["C1"])

Ranking is by shared words, rare ones counting more; who may see what is as strict as the real
one's: an article is found in the channels where it was shared, and nowhere else.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from support.builders import a_record
from support.fakes import FakeDigests

from core.article import Article
from core.chunks import cut
from core.digest import DifficultyLevel, DigestRecord, TechnicalTerm, TermOrigin
from core.language import detect, words
from core.library import Everything, Filters, Hit, LibraryState, Parts, Passage, Reach
from core.links import site_of

_SENTENCES = 3  # of a passage


@dataclass
class Kept:
    record: DigestRecord
    article: Article
    at: datetime
    passages: list[str]
    places: set[tuple[str, str, str]] = field(default_factory=set)


class LittleLibrary:
    def __init__(self, digests: FakeDigests | None = None) -> None:
        self.digests = digests or FakeDigests()
        self.kept: dict[str, Kept] = {}
        self.searches: list[tuple[str, Reach]] = []
        self._numbers = count(1)

    async def read(
        self,
        article: Article,
        *,
        platform: str = "slack",
        workspace: str = "T1",
        channels: Sequence[str] = (),
        difficulty: float = 3.0,
        terms: Sequence[tuple[str, str]] = (),
        keywords: Sequence[str] = (),
    ) -> str:
        """Digests an article and keeps it; gives the digest's id. `terms`: with explanations."""
        number = next(self._numbers)
        digest_id = f"{number:024x}"
        record = a_record()
        language = detect(article.content)
        head = record.article.model_copy(
            update={
                "title": article.title,
                "url": article.url,
                "site": site_of(article.url) if article.url else None,
                "language": language,
            }
        )
        digest = record.digest.model_copy(
            update={
                "difficulty_level": DifficultyLevel.of(difficulty),
                "technical_terms": tuple(
                    TechnicalTerm(term=term, explanation=said) for term, said in terms
                ),
                "keywords": tuple(keywords),
            }
        )
        details = record.details.model_copy(
            update={
                "language": language,
                "article_language": language,
                "term_origins": tuple(TermOrigin(term=term, origin="article") for term, _ in terms),
            }
        )
        record = record.model_copy(
            update={"id": digest_id, "article": head, "digest": digest, "details": details}
        )
        await self.digests.add(record, content_hash=article.content_hash)
        await self.add(record, article)
        self.share(digest_id, *channels, platform=platform, workspace=workspace)
        return digest_id

    def share(
        self, digest_id: str, *channels: str, platform: str = "slack", workspace: str = "T1"
    ) -> None:
        self.kept[digest_id].places |= {(platform, workspace, channel) for channel in channels}

    # --- the port

    async def add(self, record: DigestRecord, article: Article) -> None:
        document = cut(article, 1000)
        texts = [sentence.text for sentence in document.sentences]
        passages = [
            " ".join(texts[start : start + _SENTENCES])
            for start in range(0, len(texts), _SENTENCES)
        ]
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=len(self.kept))
        places = self.kept[record.id].places if record.id in self.kept else set()
        self.kept[record.id] = Kept(record, article, at, passages, places)

    async def remove(self, digest_ids: Sequence[str]) -> None:
        for digest_id in digest_ids:
            self.kept.pop(digest_id, None)

    async def search(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 10,
        rewrites: Sequence[str] = (),
    ) -> list[Hit]:
        self.searches.append((query, reach))
        kept = [one for one in self.kept.values() if _within(one, reach, filters)]
        if not query:
            newest = sorted(kept, key=lambda one: one.at, reverse=True)
            return [_hit(one, one.passages[0], 0.0, Parts()) for one in newest][:limit]
        found = self._ranked(kept, (query, *rewrites))
        best: dict[str, Hit] = {}
        for score, parts, one, place in found:
            best.setdefault(one.record.id, _hit(one, one.passages[place], score, parts))
        return list(best.values())[:limit]

    async def passages(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 3,
        rewrites: Sequence[str] = (),
    ) -> list[Passage]:
        self.searches.append((query, reach))
        kept = [one for one in self.kept.values() if _within(one, reach, filters)]
        used: Counter[str] = Counter()
        found = []
        for score, parts, one, place in self._ranked(kept, (query, *rewrites)):
            used[one.record.id] += 1
            if used[one.record.id] <= 2:
                found.append(_passage(one, place, score, parts))
        return found[:limit]

    async def state(self) -> LibraryState:
        passages = sum(len(one.passages) for one in self.kept.values())
        return LibraryState(len(self.digests.records), len(self.kept), passages)

    def _ranked(
        self, kept: Sequence[Kept], queries: Sequence[str]
    ) -> list[tuple[float, Parts, Kept, int]]:
        everything = [
            (one, place, _words(f"{one.article.title or ''}. {text}"))
            for one in kept
            for place, text in enumerate(one.passages)
        ]
        counts = Counter(word for _, _, own in everything for word in own)

        def weight(word: str) -> float:
            return math.log(1 + (len(everything) + 1) / (counts[word] + 0.5))

        found = []
        for one, place, own in everything:
            shares = []
            for asked in map(_words, queries):
                total = sum(map(weight, asked))
                shares.append(sum(weight(word) for word in asked & own) / total if total else 0.0)
            if max(shares) > 0:
                parts = Parts(words=max(shares), covered=shares[0])
                found.append((max(shares), parts, one, place))
        return sorted(found, key=lambda each: -each[0])


def _words(text: str) -> set[str]:
    return set(words(text, detect(text)))


def _within(one: Kept, reach: Reach, filters: Filters | None) -> bool:
    seen = isinstance(reach, Everything) or any(
        (reach.platform, reach.workspace, channel) in one.places for channel in reach.channels
    )
    if filters is None or not seen:
        return seen
    head, score = one.record.article, one.record.digest.difficulty_level.score
    return (
        filters.easiest <= score <= filters.hardest
        and filters.language in (None, head.language)
        and filters.site in (None, head.site)
        and (filters.since is None or one.at >= filters.since)
    )


def _hit(one: Kept, text: str, score: float, parts: Parts) -> Hit:
    head, level = one.record.article, one.record.digest.difficulty_level
    return Hit(
        digest_id=one.record.id,
        title=head.title,
        link=head.url,
        site=head.site,
        language=head.language,
        difficulty=level.score,
        label=level.label,
        digested_at=one.at,
        text=text,
        score=score,
        parts=parts,
    )


def _passage(one: Kept, place: int, score: float, parts: Parts) -> Passage:
    head = one.record.article
    return Passage(
        digest_id=one.record.id,
        title=head.title,
        link=head.url,
        language=head.language,
        position=place,
        text=one.passages[place],
        score=score,
        parts=parts,
    )
