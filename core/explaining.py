"""A term in, an explanation out: the use case behind /explain.

    clean | meanings | passages within reach | pairs mined there | sentences | choose

Everything said has somebody who says it: an article that the asking person may read, the
bundled glossary, or the model, whose words are kept only where the passages bear them out. A
term that neither an article nor the glossary has is unknown, and is called so.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from core.article import Article, Language
from core.chunks import cut
from core.digest import ArticleHead, DigestRecord, Label
from core.errors import EngineFailed
from core.judging.abbreviations import Pair, pairs
from core.judging.explanations import (
    Candidate,
    Origin,
    Said,
    choose,
    for_level,
    from_digests,
    from_glossary,
    from_passages,
)
from core.judging.faithful import Evidence
from core.judging.glossary import Entry
from core.judging.hangul import is_hangul
from core.judging.names import Meaning, cleaned, key, meanings, mention, without_particle
from core.library import Hit, Passage, Reach
from core.ports import Digests, Engine, Generation, Library
from core.prompts import term as term_prompt
from core.vocabulary import Vocabulary, all_names, near, sounding_like, terms_of

Lookup = Callable[[str, Language], Entry | None]

_PASSAGES, _HITS, _RECORDS = 40, 12, 8
_RELATED, _NEAR = 5, 3


class Easiest(BaseModel):
    """The easiest article about a term that was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest_id: str
    title: str | None
    link: str | None
    difficulty: float
    label: Label


class Explanation(BaseModel):
    """What a term means and who says so.

    `explanation`, `origin`, `credit`, `language` and `article` sum up `said`: the whole text,
    and where its first sentence comes from. `senses`: other meanings of what was asked for.
    """

    term: str
    explanation: str
    origin: Origin
    credit: str | None = None
    language: Language
    article: ArticleHead | None = None
    said: tuple[Said, ...] = ()
    names: tuple[str, ...] = ()
    senses: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    easiest: Easiest | None = None


class Unknown(BaseModel):
    """In no article within reach, nor in the glossary. `near`: what may have been meant."""

    term: str
    near: tuple[str, ...] = ()


class Explainer:
    def __init__(
        self,
        library: Library,
        digests: Digests,
        engine: Engine | None,
        lookup: Lookup,
        glossary_names: Callable[[], Sequence[str]],
    ) -> None:
        self._library = library
        self._digests = digests
        self._engine = engine
        self._lookup = lookup
        self._glossary_names = glossary_names
        self.vocabulary = Vocabulary(library, digests)

    async def explain(
        self, typed: str, wanted: Language, reach: Reach, *, level: float | None = None
    ) -> Explanation | Unknown:
        """`wanted`: the reader's language. `level`: their difficulty, 1.0 to 5.0, where known.

        Raises StorageUnavailable.
        """
        name = cleaned(typed)
        if not name:
            return Unknown(term=name)
        known = await self._known_as(name, reach)
        for meaning, others in known:
            found = await self._explain(meaning, wanted, reach, level)
            if found is not None:
                senses = tuple(dict.fromkeys(other.name for other in others))
                return found.model_copy(update={"senses": senses})
        return await self._unknown(name, reach)

    async def known(self, typed: str, reach: Reach) -> list[str]:
        """All that can be explained: the terms of articles first, then the glossary's."""
        return [*await self.vocabulary.of(reach), *self._glossary_names()]

    # --- which meaning

    async def _known_as(self, name: str, reach: Reach) -> list[tuple[Meaning, tuple[Meaning, ...]]]:
        """The meanings to try, each with those beside it."""
        mined = await self._mined(name, reach)
        found = _merged(meanings(name), mined, name)
        if len(found) > 1:
            read = {one: await self._read_of(one, reach) for one in found}
            found.sort(key=lambda one: -read[one])
            offered = [one for one in found if read[one]]
            # the bare short form at last: articles may use it without ever saying what it is
            tries = [*offered, Meaning((name,))]
            return [(one, tuple(o for o in offered if o is not one)) for one in tries]
        plain = found or [Meaning((name, *without_particle(name)))]
        tries = [*plain, *await self._by_sound(name, reach, plain[0])]
        return [(one, ()) for one in tries]

    async def _mined(self, name: str, reach: Reach) -> list[Pair]:
        """What articles themselves say the name is short for, or which short form it has."""
        passages = await self._library.passages(name, reach=reach, limit=_PASSAGES)
        asked = key(name)
        return [
            pair
            for passage in passages
            for pair in pairs(passage.text)
            if asked in (key(pair.short), key(pair.long))
        ]

    async def _read_of(self, meaning: Meaning, reach: Reach) -> int:
        """How often it is spoken of in articles within reach; the glossary's word counts as one."""
        found = await self._passages(meaning, reach)
        named = mention(meaning.names)
        spoken = sum(len(named.findall(one.text)) for one in found)
        return 2 * spoken + (self._in_glossary(meaning, "en") is not None)

    async def _by_sound(self, name: str, reach: Reach, tried: Meaning) -> list[Meaning]:
        """Names in the other script: tried only where the name as it was typed is unknown."""
        others = [*await self.vocabulary.of(reach), *all_names(self._glossary_names())]
        alike = [
            one for one in sounding_like(name, others) if key(one) not in map(key, tried.names)
        ]
        found = [(meanings(one) or (Meaning((one,)),))[0] for one in alike[:2]]
        # what is spelled in this script already, and otherwise, is another word
        return [one for one in found if not any(_same_script(name, own) for own in one.names)]

    # --- what is said of it

    async def _explain(
        self, meaning: Meaning, wanted: Language, reach: Reach, level: float | None
    ) -> Explanation | None:
        passages = await self._passages(meaning, reach)
        named = mention(meaning.names)
        passages = [one for one in passages if named.search(f"{one.title or ''}\n{one.text}")]
        hits = [one for one in await self._hits(meaning, reach) if _about(one, meaning)]
        records = await self._records([*passages, *hits])
        found = await asyncio.to_thread(from_passages, passages, meaning.names, wanted)
        found += from_digests(records, meaning.names, wanted)
        found = for_level(found, {hit.digest_id: hit.difficulty for hit in hits}, level)
        said = choose(found, self._in_glossary(meaning, wanted))
        if all(one.kind == "use" for one in said):
            said = [*await self._written(meaning, found, wanted), *said][:2]
        if not said:
            return None
        return _explanation(meaning, said, records, hits)

    async def _passages(self, meaning: Meaning, reach: Reach) -> list[Passage]:
        spaced = meaning.name.replace("-", " ")
        rewrites = (*meaning.names[1:], spaced, f"{spaced} is a", f"what is {spaced}")
        return await self._library.passages(
            meaning.name, reach=reach, limit=_PASSAGES, rewrites=rewrites
        )

    async def _hits(self, meaning: Meaning, reach: Reach) -> list[Hit]:
        return await self._library.search(
            meaning.name, reach=reach, limit=_HITS, rewrites=meaning.names[1:]
        )

    async def _records(self, found: Sequence[Passage | Hit]) -> list[DigestRecord]:
        ids = [*dict.fromkeys(one.digest_id for one in found)][:_RECORDS]
        kept = [await self._digests.get(digest_id) for digest_id in ids]
        return [record for record in kept if record is not None]

    def _in_glossary(self, meaning: Meaning, wanted: Language) -> Said | None:
        other: Language = "en" if wanted == "ko" else "ko"
        for language in (wanted, other):
            for name in meaning.names:
                said = from_glossary(self._lookup(name, language), language)
                if said is not None:
                    return said
        return None

    async def _written(
        self, meaning: Meaning, found: Sequence[Candidate], wanted: Language
    ) -> list[Said]:
        """The model's explanation from the sentences that use the term; [] unless they bear it."""
        engine = self._engine
        used = [one.said for one in found if one.said.origin == "article"][:4]
        if engine is None or not used:
            return []
        language = used[0].language
        if language not in engine.writes:
            return []
        used = [one for one in used if one.language == language]
        text = "\n\n".join(one.text for one in used)
        prompt = term_prompt.render(meaning.name, text, language)
        try:
            reply = await engine.generate(prompt, Generation(max_new_tokens=60))
        except EngineFailed:
            return []  # the sentences themselves are there
        written = term_prompt.parse(reply, meaning.name, language)
        if written is None or any(written in one.text for one in used):
            return []
        document = cut(Article(content=text, language=language), 1000)
        support = await asyncio.to_thread(Evidence(document).support, written)
        if not support.holds():
            return []
        return [Said(text=written, origin="model", language=language, article=used[0].article)]

    # --- what is not known

    async def _unknown(self, name: str, reach: Reach) -> Unknown:
        known = [*await self.vocabulary.of(reach), *self._glossary_names()]
        found = await asyncio.to_thread(near, name, known, limit=_NEAR)
        return Unknown(term=name, near=tuple(found))


def _same_script(one: str, other: str) -> bool:
    return is_hangul(one) == is_hangul(other) and not other.isupper()


def _merged(known: Sequence[Meaning], mined: Sequence[Pair], name: str) -> list[Meaning]:
    """Our table's meanings and those that articles give, the same ones put together.

    A short form that has several meanings is no name of any of them: alone it does not tell
    which is meant.
    """
    found = [list(meaning.names) for meaning in known]
    for pair in mined:
        other = pair.long if key(pair.short) == key(name) else pair.short
        home = next((names for names in found if key(other) in map(key, names)), None)
        if home is None and not known and found and key(pair.long) == key(name):
            home = found[0]
        if home is None:
            # what was typed is the long form: its short form is a further name of the same thing
            table = meanings(other)
            names = list(table[0].names) if len(table) == 1 else [other]
            found.append(list(dict.fromkeys((*names, name))))
    several = len(found) > 1
    asked = key(name)
    return [
        Meaning(tuple(one for one in names if not (several and key(one) == asked)) or tuple(names))
        for names in found
    ]


def _about(hit: Hit, meaning: Meaning) -> bool:
    named = mention(meaning.names)
    return named.search(f"{hit.title or ''}\n{hit.text}") is not None


def _explanation(
    meaning: Meaning, said: Sequence[Said], records: Sequence[DigestRecord], hits: Sequence[Hit]
) -> Explanation:
    first = said[0]
    heads = {record.id: record.article for record in records}
    return Explanation(
        term=meaning.name,
        explanation=" ".join(one.text for one in said),
        origin=first.origin,
        credit=next((one.credit for one in said if one.credit), None),
        language=first.language,
        article=heads.get(first.article.digest_id) if first.article else None,
        said=tuple(said),
        names=meaning.names[1:],
        related=_related(meaning, records),
        easiest=_easiest(hits),
    )


def _related(meaning: Meaning, records: Sequence[DigestRecord]) -> tuple[str, ...]:
    """Terms of the same articles, those of several articles first."""
    own = set(map(key, meaning.names))
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for record in records:
        for term in terms_of(record):
            if key(term) not in own and len(term) <= 60:
                spelled.setdefault(key(term), term)
                counts[key(term)] += 1
    return tuple(spelled[one] for one, _ in counts.most_common(_RELATED))


def _easiest(hits: Sequence[Hit]) -> Easiest | None:
    if not hits:
        return None
    found = min(hits, key=lambda hit: (hit.difficulty, -hit.score))
    return Easiest(
        digest_id=found.digest_id,
        title=found.title,
        link=found.link,
        difficulty=found.difficulty,
        label=found.label,
    )
