"""The engine without a model: it answers with the first sentences of what it is asked about.

With it the whole service runs on any machine at once, and tests run in milliseconds. What it
says is always the page's own words.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import numpy as np

from core.article import Language
from core.engine.vectors import unit
from core.errors import EngineFailed
from core.ports import Generation, Prompt, Vectors

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = re.compile(r"\s*\S+|\s+$")
_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n+")
_LABEL = re.compile(r"^[^\n.]{1,30}:\n")  # "Text:" above the article in a prompt
_HANGUL = re.compile(r"[가-힣]")


class EchoEngine:
    """core.ports.Engine. A token is a word or a punctuation mark."""

    name = "echo"
    context_tokens = 8192
    writes: frozenset[Language] = frozenset({"en", "ko"})

    def __init__(self) -> None:
        self._closed = False

    def count_tokens(self, text: str) -> int:
        return sum(1 for _ in _TOKEN.finditer(text))

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        return "".join([piece async for piece in self.stream(prompt, options)])

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        self._check(prompt, options)
        for piece in _PIECE.findall(echo(prompt.user, options)):
            yield piece
            await asyncio.sleep(0)  # a piece at a time, as a model would

    async def close(self) -> None:
        self._closed = True

    def _check(self, prompt: Prompt, options: Generation) -> None:
        if self._closed:
            raise EngineFailed(self.name, "the engine is closed")
        asked = self.count_tokens(prompt.system + prompt.user + prompt.opening)
        room = self.context_tokens - options.max_new_tokens
        if asked > room:
            raise EngineFailed(
                self.name,
                f"the prompt has {asked} tokens, but only {max(room, 0)} fit beside an answer of "
                f"{options.max_new_tokens}",
            )


def echo(text: str, options: Generation) -> str:
    """The first sentences of the longest paragraph: in a prompt that is the article's text."""
    paragraph = _LABEL.sub("", max(text.split("\n\n"), key=len).strip())
    words = _within(paragraph, options.max_new_tokens)
    kept = " ".join(_SENTENCE_END.split(words)[:3])
    cuts = [at for at in (kept.find(stop) for stop in options.stop if stop) if at >= 0]
    return kept[: min(cuts, default=len(kept))]


def _within(text: str, tokens: int) -> str:
    ends = [match.end() for match, _ in zip(_TOKEN.finditer(text), range(tokens), strict=False)]
    return text[: ends[-1]] if ends else ""


class HashingEncoder:
    """core.ports.Encoder without a model: words and their letter triples, hashed to places.

    Texts that share words, or parts of words, lie near each other, in any language; meaning
    it knows none. Korean endings change with every use, so its syllable pairs count as well.
    """

    name = "hashing-512"
    reads: frozenset[Language] = frozenset({"en", "ko"})
    _size = 512

    async def embed(self, texts: Sequence[str]) -> Vectors:
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Vectors:
        rows = np.zeros((len(texts), self._size), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for feature, count in features(text).items():
                place, sign = _place(feature, self._size)
                row[place] += sign * np.sqrt(count)
        return unit(rows)


def features(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in re.findall(r"\w+", text.lower()):
        found[word] += 2
        size = 2 if _HANGUL.search(word) else 3
        found.update(word[at : at + size] for at in range(len(word) - size + 1))
    return found


def _place(feature: str, size: int) -> tuple[int, float]:
    digest = hashlib.blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return number % size, 1.0 if number >> 63 else -1.0
