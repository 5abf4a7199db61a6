"""What the index keeps of an article: its words with their weight, and its passages.

The **head** is small and lies in memory for every document; the **body** (passages with their
text) is looked at only for those that may be the answer. Both are bytes in the database;
VERSION is part of what makes them readable and is raised when their making changes.
"""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.article import Article, Language
from core.chunks import blocks
from core.digest import DigestRecord
from core.language import detect, sentences
from core.ports import Encoder, Vectors
from core.retrieval import bridge
from core.retrieval.tokens import Terms, number, numbers, tokens

VERSION = 1

# Words of a passage: of 40, 60 and 100 the middle one did best on the dev sets (BENCHMARKS.md).
_PASSAGE_WORDS = 60
_FEWEST_WORDS = 20  # a shorter section is read together with the next one
# Of longer articles the first passages have vectors; every word is in the index all the same.
_MAX_PASSAGES = 96
_TITLE_WEIGHT = 3
_KEYWORD_WEIGHT = 2

Quantised = NDArray[np.int8]
_Number = TypeVar("_Number", np.uint32, np.uint8, np.int8)


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be found again. `summary` and `keywords` are those of its digest."""

    title: str
    text: str
    language: Language
    summary: str = ""
    keywords: tuple[str, ...] = ()
    summary_language: Language | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """`counts`: how often, title and keywords weighing more. `sounds`: how its words of the title
    and its frequent ones sound to the other language (core.retrieval.bridge). `vector` is the
    mean of its passages' vectors, all zeros where the encoder does not read its language."""

    terms: Terms
    counts: NDArray[np.uint8]
    title: Terms
    sounds: Terms
    vector: Vectors


@dataclass(frozen=True, slots=True)
class Body:
    """Passages in their order: texts (packed, since few of many are ever read), their words one
    after the other (`starts` has one more entry than there are passages), and vectors of bytes."""

    packed: bytes
    terms: Terms
    starts: NDArray[np.uint32]
    vectors: Quantised

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(json.loads(zlib.decompress(self.packed)))

    def __len__(self) -> int:
        return len(self.starts) - 1


def packed(texts: Sequence[str]) -> bytes:
    return zlib.compress(json.dumps(texts, ensure_ascii=False).encode("utf-8", "replace"), 6)


@dataclass(frozen=True, slots=True)
class Indexed:
    head: Head
    body: Body


def source_of(record: DigestRecord, article: Article) -> Source:
    return Source(
        title=article.title or "",
        text=article.content,
        language=record.details.article_language,
        summary=record.digest.summary,
        keywords=(*record.digest.keywords, *(t.term for t in record.digest.technical_terms)),
        summary_language=record.details.language,
    )


async def prepare(sources: Sequence[Source], encoder: Encoder) -> list[Indexed]:
    """Raises EngineFailed. Cutting and counting happen in a thread."""
    cut = [await asyncio.to_thread(_passages, source) for source in sources]
    texts = [
        f"{source.title}. {text}" if source.title else text
        for source, found in zip(sources, cut, strict=True)
        if source.language in encoder.reads
        for text in found[:_MAX_PASSAGES]
    ]
    vectors = await encoder.embed(texts) if texts else np.zeros((0, 1), dtype=np.float32)
    size = vectors.shape[1]
    made, at = [], 0
    for source, found in zip(sources, cut, strict=True):
        own = len(found[:_MAX_PASSAGES]) if source.language in encoder.reads else 0
        mine = vectors[at : at + own] if own else np.zeros((0, size), dtype=np.float32)
        at += own
        made.append(await asyncio.to_thread(_indexed, source, found, mine))
    return made


def _passages(source: Source) -> list[str]:
    """Sentences in a row, cut at headings and after so many words; code and tables count as text."""
    found: list[str] = []
    current: list[str] = []
    words = section = 0
    for block in blocks(source.text):
        if block.section != section:
            words = _cut(found, current) if words >= _FEWEST_WORDS else words
            section = block.section
        pieces = sentences(block.text, source.language) if block.kind != "code" else [block.text]
        for piece in pieces:
            size = len(piece.split())
            if words and words + size > _PASSAGE_WORDS:
                words = _cut(found, current)
            current.append(piece)
            words += size
    _cut(found, current)
    return found or [source.title or source.text]


def _cut(found: list[str], current: list[str]) -> int:
    if current:
        found.append(" ".join(current))
        current.clear()
    return 0


def _indexed(source: Source, passages: Sequence[str], vectors: Vectors) -> Indexed:
    per_passage = [tokens(text, source.language) for text in passages]
    title = tokens(source.title, source.language)
    counted = Counter(token for found in per_passage for token in found)
    sounding = {*title, *(token for token, count in counted.items() if count > 1)}
    for token in title:
        counted[token] += _TITLE_WEIGHT
    for keyword in source.keywords:
        counted.update(dict.fromkeys(tokens(keyword, detect(keyword)), _KEYWORD_WEIGHT))
    if source.summary:
        counted.update(tokens(source.summary, source.summary_language or source.language))
    by_number: Counter[int] = Counter()
    for token, count in counted.items():
        by_number[number(token)] += count
    terms = np.fromiter(by_number, dtype=np.uint32, count=len(by_number))
    counts = np.fromiter((min(c, 255) for c in by_number.values()), dtype=np.uint8)
    head = Head(terms, counts, numbers(title), numbers(bridge.sounds(sounding)), _mean(vectors))
    starts = np.cumsum([0, *map(len, per_passage)], dtype=np.uint32)
    every = numbers(token for found in per_passage for token in found)
    return Indexed(head, Body(packed(passages), every, starts, quantised(vectors)))


def _mean(vectors: Vectors) -> Vectors:
    if not len(vectors):
        return np.zeros(vectors.shape[1], dtype=np.float32)
    mean = vectors.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), dtype=np.float32)


# A direction of 384 numbers has none above 0.6 or so: two thousandths of resolution are plenty.
_SCALE = 200.0


def quantised(vectors: Vectors) -> Quantised:
    return np.asarray(np.clip(np.rint(vectors * _SCALE), -127, 127), dtype=np.int8)


def dequantised(vectors: Quantised) -> Vectors:
    return np.asarray(vectors, dtype=np.float32) / np.float32(_SCALE)


_HEAD = struct.Struct("<BIIII")
_BODY = struct.Struct("<BIIII")


def head_bytes(head: Head) -> bytes:
    sizes = (len(head.terms), len(head.title), len(head.sounds), len(head.vector))
    arrays = (head.terms, head.counts, head.title, head.sounds, quantised(head.vector))
    return _HEAD.pack(VERSION, *sizes) + b"".join(a.tobytes() for a in arrays)


def read_head(data: bytes) -> Head:
    _, terms, title, sounds, size = _HEAD.unpack_from(data)
    read = _Reader(data, _HEAD.size)
    return Head(
        read.next(np.uint32, terms),
        read.next(np.uint8, terms),
        read.next(np.uint32, title),
        read.next(np.uint32, sounds),
        dequantised(read.next(np.int8, size)),
    )


def body_bytes(body: Body) -> bytes:
    sizes = (len(body.packed), len(body.starts), len(body.terms), body.vectors.size)
    arrays = (body.starts, body.terms, body.vectors)
    return _BODY.pack(VERSION, *sizes) + body.packed + b"".join(a.tobytes() for a in arrays)


def read_body(data: bytes) -> Body:
    _, texts, starts, terms, cells = _BODY.unpack_from(data)
    read = _Reader(data, _BODY.size + texts)
    found = read.next(np.uint32, starts), read.next(np.uint32, terms), read.next(np.int8, cells)
    rows = min(starts - 1, _MAX_PASSAGES) if cells else 0
    vectors = found[2].reshape(rows, cells // rows if rows else 0)
    return Body(data[_BODY.size : _BODY.size + texts], found[1], found[0], vectors)


class _Reader:
    """Arrays that lie one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def next(self, kind: type[_Number], count: int) -> NDArray[_Number]:
        found = np.frombuffer(self._data, dtype=kind, count=count, offset=self._at)
        self._at += found.nbytes
        return found
