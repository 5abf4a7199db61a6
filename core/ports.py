"""The seams: what the core needs from the world, each as small as it can be.

Adapters have the shape of a port, they do not inherit it; mypy checks where `bot/wiring.py`
assigns them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.article import Article, Language, Page
from core.digest import DigestRecord

Vectors = NDArray[np.float32]
Verdict = Literal["too_easy", "too_hard", "good", "bad"]


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


class Encoder(Protocol):
    """Sentences to vectors."""

    @property
    def name(self) -> str: ...

    @property
    def reads(self) -> frozenset[Language]:
        """The languages whose sentences its vectors tell apart."""

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), each row of length 1."""


class Web(Protocol):
    """The page behind a link. Raises BadLink and FetchFailed with its kin."""

    async def fetch(self, url: str) -> Page: ...

    async def close(self) -> None: ...


class Extract(Protocol):
    """The article in a page. Raises NothingToRead with its kin, UnsupportedType."""

    def __call__(self, page: Page) -> Article: ...


class Digests(Protocol):
    """Digests we keep."""

    async def get(self, digest_id: str) -> DigestRecord | None: ...

    async def add(
        self, record: DigestRecord, *, content_hash: str, page: Page | None = None
    ) -> None:
        """Adding the same id again replaces it. `page`: what it was read from, for its validators."""

    async def recent(self, limit: int) -> list[DigestRecord]:
        """Newest first."""

    async def add_verdict(self, digest_id: str, verdict: Verdict, *, by: str) -> bool:
        """One verdict a person and digest and kind of question; False for an unknown digest."""
