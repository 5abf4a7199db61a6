"""The other side of each seam, in memory. A fake of a port that has a contract test runs
through the same expectations as the real thing (`tests/contract/`)."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import numpy as np

from core.article import Article, Language, Page
from core.digest import DigestRecord
from core.errors import BadLink, DigestError, NotFound
from core.links import canonical
from core.places import ChannelProfile, Delivery, Place, Platform, Process, SharedLink, Workspace
from core.ports import Generation, Prompt, Vectors, Verdict

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


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

    async def add_questions(self, digest_id: str, questions: Sequence[str]) -> None:
        record = self.records.get(digest_id)
        if record is not None:
            details = record.details.model_copy(update={"questions": tuple(questions)})
            self.records[digest_id] = record.model_copy(update={"details": details})


class FakeArticles:
    """Articles by content hash; `readings` tells what stood at an address, and when."""

    def __init__(self, now: Clock = utc_now) -> None:
        self.articles: dict[str, Article] = {}
        self.readings: dict[str, tuple[str, datetime]] = {}
        self._now = now

    async def put(self, article: Article, *, link: str, page: Page | None = None) -> str:
        self.articles[article.content_hash] = article
        self.readings[link] = (article.content_hash, self._now())
        return article.content_hash

    async def get(self, content_hash: str) -> Article | None:
        return self.articles.get(content_hash)

    async def read_at(self, link: str, since: datetime) -> Article | None:
        content_hash, at = self.readings.get(link, ("", datetime.min.replace(tzinfo=UTC)))
        return self.articles.get(content_hash) if at >= since else None


class FakeDeliveries:
    """Deliveries by their id; `events` are those that were seen."""

    def __init__(self, now: Clock = utc_now) -> None:
        self.kept: dict[str, Delivery] = {}
        self.events: set[tuple[str, str, str]] = set()
        self._now = now

    async def accept(self, shared: SharedLink) -> tuple[Delivery, bool]:
        known = self.kept.get(shared.key)
        if known is not None:
            return known, False
        waiting = [one for one in self.kept.values() if one.state == "waiting"]
        lowest = min((one.turn for one in waiting), default=1)
        here = max((one.turn for one in waiting if _together(one, shared.place)), default=0)
        delivery = Delivery(
            id=shared.key,
            shared=shared,
            canonical=canonical(shared.link),
            state="waiting",
            turn=max(lowest, here + 1),
            accepted_at=self._now(),
        )
        self.kept[delivery.id] = delivery
        return delivery, True

    async def get(self, delivery_id: str) -> Delivery | None:
        return self.kept.get(delivery_id)

    async def claim(self, delivery_id: str, by: str, *, settled_before: datetime) -> bool:
        known = self.kept.get(delivery_id)
        if known is None or known.reply is not None or known.state == "withdrawn":
            return False
        if known.tried_by not in (None, by) and (known.tried_at or settled_before) > settled_before:
            return False
        self.kept[delivery_id] = replace(known, tried_by=by, tried_at=self._now())
        return True

    async def replied(self, delivery_id: str, reply: str) -> None:
        if (known := self.kept.get(delivery_id)) is not None:
            self.kept[delivery_id] = replace(known, reply=reply)

    async def answered(self, delivery_id: str, digest_id: str) -> None:
        known = self.kept.get(delivery_id)
        if known is not None and known.state != "withdrawn":
            self.kept[delivery_id] = replace(
                known, state="answered", digest_id=digest_id, error=None, reason=""
            )

    async def failed(self, delivery_id: str, error: str, reason: str = "") -> None:
        known = self.kept.get(delivery_id)
        if known is not None and known.state not in ("withdrawn", "answered"):
            self.kept[delivery_id] = replace(known, state="failed", error=error, reason=reason)

    async def withdraw(
        self, place: Place, message: str, *, keep: Sequence[str] = ()
    ) -> list[Delivery]:
        kept = {_canonical(link) for link in keep}
        gone = [
            replace(one, state="withdrawn")
            for one in await self.of_message(place, message)
            if one.canonical not in kept
        ]
        self.kept.update((one.id, one) for one in gone)
        return gone

    async def of_reply(self, place: Place, reply: str) -> Delivery | None:
        found = (one for one in self.kept.values() if _together(one, place))
        return next((one for one in found if one.reply == reply), None)

    async def of_message(self, place: Place, message: str) -> list[Delivery]:
        found = (one for one in self.kept.values() if _together(one, place))
        return [one for one in found if one.shared.message == message]

    async def unanswered(
        self, accepted_before: datetime, limit: int, *, after: str = ""
    ) -> list[Delivery]:
        found = [
            one
            for _, one in sorted(self.kept.items())
            if one.state == "waiting" and one.id > after and one.accepted_at < accepted_before
        ]
        return found[:limit]

    async def waiting(self) -> int:
        return sum(one.state == "waiting" for one in self.kept.values())

    async def count(
        self,
        platform: Platform,
        workspace: str,
        since: datetime,
        *,
        by: str = "",
        channel: str = "",
    ) -> int:
        found = self._in_workspace(platform, workspace, channel)
        return sum(one.accepted_at >= since and by in ("", one.shared.by) for one in found)

    async def recent(
        self, platform: Platform, workspace: str, limit: int, *, channel: str = ""
    ) -> list[Delivery]:
        found = self._in_workspace(platform, workspace, channel)
        answered = [one for one in reversed(found) if one.state == "answered"]
        return answered[:limit]

    async def seen(self, platform: Platform, workspace: str, event: str) -> bool:
        known = (platform, workspace, event) in self.events
        self.events.add((platform, workspace, event))
        return known

    def _in_workspace(self, platform: str, workspace: str, channel: str) -> list[Delivery]:
        return [
            one
            for one in self.kept.values()
            if (one.shared.place.platform, one.shared.place.workspace) == (platform, workspace)
            and channel in ("", one.shared.place.channel)
        ]


def _together(delivery: Delivery, place: Place) -> bool:
    """Whether it was shared in this channel, in whichever thread."""
    there = delivery.shared.place
    return (there.channel, there.workspace, there.platform) == (
        place.channel,
        place.workspace,
        place.platform,
    )


def _canonical(link: str) -> str:
    try:
        return canonical(link)
    except BadLink:
        return ""


class FakeProfiles:
    """Profiles by platform, workspace and channel; `by` keeps who set them."""

    def __init__(self) -> None:
        self.profiles: dict[Place, ChannelProfile] = {}
        self.by: dict[Place, str] = {}

    async def get(self, place: Place) -> ChannelProfile:
        return self.profiles.get(replace(place, thread=None), ChannelProfile())

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None:
        self.profiles[replace(place, thread=None)] = profile
        self.by[replace(place, thread=None)] = by


class FakeWorkspaces:
    """Workspaces by platform and id."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Workspace] = {}

    async def put(self, workspace: Workspace) -> None:
        self.kept[workspace.platform, workspace.id] = workspace

    async def get(self, platform: Platform, workspace_id: str) -> Workspace | None:
        return self.kept.get((platform, workspace_id))

    async def all(self, platform: Platform) -> list[Workspace]:
        return [one for (kind, _), one in sorted(self.kept.items()) if kind == platform]


class FakeProcesses:
    """Processes by their id, with when each was seen last."""

    def __init__(self, now: Clock = utc_now) -> None:
        self.kept: dict[str, tuple[Process, datetime]] = {}
        self.retired: set[str] = set()
        self._now = now

    async def beat(self, process: Process) -> None:
        self.kept[process.id] = (process, self._now())
        self.retired.discard(process.id)

    async def retire(self, process_id: str) -> None:
        if process_id in self.kept:
            self.retired.add(process_id)

    async def dead(self, lease: float) -> list[str]:
        last = self._now() - timedelta(seconds=lease)
        return [id for id, (_, at) in sorted(self.kept.items()) if at <= last or id in self.retired]

    async def all(self) -> list[Process]:
        return [process for _, (process, _) in sorted(self.kept.items())]

    async def forget(self, process_id: str) -> None:
        self.kept.pop(process_id, None)
        self.retired.discard(process_id)


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

    async def save(self, url: str, file: BinaryIO) -> Page:
        page = await self.fetch(url)
        file.write(page.body)
        return replace(page, body=b"")

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

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
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
