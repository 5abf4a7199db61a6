"""The other side of each seam, in memory. A fake of a port that has a contract test runs
through the same expectations as the real thing (`tests/contract/`)."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import numpy as np

from core.article import Language, Page
from core.digest import DigestRecord
from core.errors import DigestError, NotFound
from core.ports import Generation, Prompt, Vectors, Verdict


class FakeDigests:
    """Digests in a dict; `verdicts` may be read by a test."""

    def __init__(self) -> None:
        self.records: dict[str, DigestRecord] = {}
        self.hashes: dict[str, str] = {}
        self.verdicts: dict[tuple[str, str, str], Verdict] = {}

    async def get(self, digest_id: str) -> DigestRecord | None:
        return self.records.get(digest_id)

    async def add(
        self, record: DigestRecord, *, content_hash: str, page: Page | None = None
    ) -> None:
        self.records.pop(record.id, None)  # added again: it is the newest now
        self.records[record.id] = record
        self.hashes[record.id] = content_hash

    async def recent(self, limit: int) -> list[DigestRecord]:
        return list(reversed(self.records.values()))[:limit]

    async def add_verdict(self, digest_id: str, verdict: Verdict, *, by: str) -> bool:
        if digest_id not in self.records:
            return False
        question = "difficulty" if verdict in ("too_easy", "too_hard") else "quality"
        self.verdicts[digest_id, by, question] = verdict
        return True


class FakeWeb:
    """Pages by their address; an error as a page is raised. `asked` keeps what was fetched."""

    def __init__(self, pages: Mapping[str, Page | DigestError] | None = None) -> None:
        self.pages = dict(pages or {})
        self.asked: list[str] = []
        self.closed = False

    async def fetch(self, url: str) -> Page:
        self.asked.append(url)
        found = self.pages.get(url)
        if found is None:
            raise NotFound(url, "404")
        if isinstance(found, DigestError):
            raise found
        return found

    async def close(self) -> None:
        self.closed = True


class FakeEngine:
    """Gives the answers it was given, in turn; `prompts` keeps what it was asked."""

    name = "fake-engine"
    context_tokens = 2048

    def __init__(
        self,
        answers: Iterable[str | DigestError] = (),
        *,
        writes: Iterable[Language] = ("en",),
    ) -> None:
        self.answers = deque(answers)
        self.writes: frozenset[Language] = frozenset(writes)
        self.prompts: list[Prompt] = []
        self.closed = False

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        self.prompts.append(prompt)
        answer = self.answers.popleft() if self.answers else ""
        if isinstance(answer, DigestError):
            raise answer
        return answer

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncIterator[str]:
        answer = await self.generate(prompt, options)
        for piece in re.findall(r"\s*\S+|\s+$", answer):
            yield piece

    async def close(self) -> None:
        self.closed = True


class FakeEncoder:
    """A bag of hashed words: texts that share words are near each other."""

    name = "fake-encoder"
    dimension = 128

    reads: frozenset[Language] = frozenset({"en"})

    async def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % self.dimension] += 1
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors[norms[:, 0] == 0, 0] = 1.0
        norms[norms == 0] = 1.0
        unit: Vectors = (vectors / norms).astype(np.float32)
        return unit
