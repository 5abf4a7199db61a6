"""The terms that somebody's articles are about: offered while a term is typed, and searched for
what an unknown one may have meant."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from core.digest import DigestRecord
from core.judging.hangul import is_hangul, same_sound
from core.judging.names import key, table_names
from core.library import Reach
from core.ports import Digests, Library

READ = 200  # digests looked through, the newest first
_REMEMBERED = 5000
_NEAR = 0.72  # of difflib's ratio: "kuberentes" and "kubernetes" have 0.9


class Vocabulary:
    def __init__(self, library: Library, digests: Digests) -> None:
        self._library = library
        self._digests = digests
        self._terms: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    async def of(self, reach: Reach, *, limit: int = READ) -> list[str]:
        """Terms and keywords of the newest articles within reach, each once."""
        hits = await self._library.search("", reach=reach, limit=limit)
        found: dict[str, str] = {}
        for hit in hits:
            for term in await self._of(hit.digest_id):
                found.setdefault(key(term), term)
        return list(found.values())

    async def _of(self, digest_id: str) -> tuple[str, ...]:
        known = self._terms.get(digest_id)
        if known is None:
            record = await self._digests.get(digest_id)
            known = () if record is None else terms_of(record)
            self._terms[digest_id] = known
            while len(self._terms) > _REMEMBERED:
                self._terms.popitem(last=False)
        return known


def terms_of(record: DigestRecord) -> tuple[str, ...]:
    explained = (term.term for term in record.digest.technical_terms)
    return tuple(dict.fromkeys((*explained, *record.digest.keywords)))


def offered(typed: str, known: Iterable[str], *, limit: int, longest: int = 100) -> list[str]:
    """Those that begin with what was typed, then those in which a word does, then the rest."""
    asked = key(typed)
    ranked: list[tuple[int, str]] = []
    seen = set()
    for name in known:
        own = key(name)
        if not own or own in seen or len(name) > longest:
            continue
        seen.add(own)
        if own.startswith(asked):
            ranked.append((0, name))
        elif any(key(word).startswith(asked) for word in name.split()):
            ranked.append((1, name))
        elif asked in own:
            ranked.append((2, name))
    return [name for _, name in sorted(ranked, key=lambda pair: pair[0])[:limit]]


def sounding_like(name: str, known: Iterable[str]) -> list[str]:
    """Names in the other script with the same sound: 프로메테우스 finds Prometheus."""
    return same_sound(name, known)


def near(name: str, known: Sequence[str], *, limit: int = 3) -> list[str]:
    """What may have been meant: spelled or sounding much like it, or holding it as a word."""
    asked = key(name)
    by_key: dict[str, str] = {}
    for one in known:
        by_key.setdefault(key(one), one)
    found = list(same_sound(name, known)[:limit])
    close = difflib.get_close_matches(asked, by_key, n=limit, cutoff=_NEAR)
    found += [by_key[own] for own in close]
    if len(asked) >= 4 or (is_hangul(asked) and len(asked) >= 2):
        found += [one for own, one in by_key.items() if asked in own][:limit]
    return list(dict.fromkeys(found))[:limit]


def all_names(glossary: Iterable[str]) -> list[str]:
    """What can be explained or looked for besides what was read."""
    return list(dict.fromkeys((*glossary, *table_names())))
