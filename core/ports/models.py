"""Models: text and vectors from them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from core.article import Language

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question for a model. `opening` is how its answer must begin (it is not repeated)."""

    user: str
    system: str = ""
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """How text is generated, as one value.

    Greedy: the defaults. Beam search: `beams` > 1. Sampling: `temperature` > 0 (then `top_p`,
    `top_k` and `seed` count). `no_repeat_ngram` forbids an n-gram of that many tokens to come
    twice (0: off); `repetition_penalty` 1.0 is off. `stop` ends the text before any of these.
    `schema` is a JSON schema, as text, that an engine keeps the answer to where it can; where it
    cannot, `core.prompts.shaped` repairs and fills what comes.
    """

    max_new_tokens: int = 160
    beams: int = 1
    length_penalty: float = 1.0
    no_repeat_ngram: int = 0
    repetition_penalty: float = 1.0
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    stop: tuple[str, ...] = ()
    schema: str = ""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.beams < 1:
            raise ValueError("max_new_tokens and beams must be at least 1")
        if not self.temperature >= 0.0 or not 0.0 < self.top_p <= 1.0:
            raise ValueError("temperature must be >= 0 and top_p in (0, 1]")
        if self.beams > 1 and self.temperature > 0:
            raise ValueError("beam search and sampling exclude each other")


class Engine(Protocol):
    """Text in, text out. An engine knows nothing of articles, chats or JSON."""

    @property
    def name(self) -> str:
        """Model and version, for people and as part of the cache key."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    @property
    def writes(self) -> frozenset[Language]:
        """The languages in which its text is good enough to show."""

    def count_tokens(self, text: str) -> int: ...

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        """The whole answer. Raises EngineBusy, EngineTimedOut, EngineFailed."""

    def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        """The answer in pieces as it is written; ending the iteration cancels the work."""

    async def close(self) -> None: ...


@runtime_checkable
class Searcher(Protocol):
    """An engine that searches with beams, and can tell what else it found."""

    async def search(self, prompt: Prompt, options: Generation) -> tuple[str, ...]:
        """The answers at the ends of the beams, likeliest first, at most `options.beams`.
        Raises EngineBusy, EngineTimedOut, EngineFailed."""


class Encoder(Protocol):
    """Sentences to vectors."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> frozenset[Language]:
        """The languages whose sentences its vectors tell apart."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), each row of length 1."""
