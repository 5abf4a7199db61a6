"""The seams: what the core needs from the world, each as small as it can be.

Adapters have the shape of a port, they do not inherit it; mypy checks where `bot/wiring/`
assigns them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from core.announcements import Announcement
from core.article import Article, Language, Page
from core.digest import DigestRecord
from core.feed import Announced, Entry, Source, SourceKind, Subscription
from core.library import Filters, Hit, LibraryState, Passage, Reach
from core.places import (
    ChannelProfile,
    Delivery,
    Erased,
    Place,
    Platform,
    Process,
    Scope,
    SharedLink,
    Workspace,
)

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

    async def save(self, url: str, file: BinaryIO) -> Page:
        """The body goes to `file` as it comes, with a bounded buffer; the page has none."""

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

    async def add_questions(self, digest_id: str, questions: Sequence[str]) -> None:
        """Keeps reader questions with a digest, so that they are asked for once."""


class Articles(Protocol):
    """Articles we have read, text included."""

    async def put(self, article: Article, *, link: str, page: Page | None = None) -> str:
        """Keeps it under its content hash, which is returned. `link`: the canonical address asked
        for; `page`: what it was read from, for its validators."""

    async def get(self, content_hash: str) -> Article | None: ...

    async def read_at(self, link: str, since: datetime) -> Article | None:
        """What stood at this canonical address when it was last read, if that was since then."""


class Deliveries(Protocol):
    """Shared links, each accepted once and answered once. Raises StorageUnavailable throughout."""

    async def accept(self, shared: SharedLink) -> tuple[Delivery, bool]:
        """Keeps it durably before it returns; False beside one that was accepted before.

        Gives it its `turn`, by start-time fair queueing: one after the channel's last waiting
        link, never before the lowest that waits anywhere. Raises BadLink.
        """

    async def get(self, delivery_id: str) -> Delivery | None: ...

    async def claim(self, delivery_id: str, by: str, *, settled_before: datetime) -> bool:
        """This process is about to send a first message: from here on one may be out there.

        False, and nothing is changed, where one has arrived already, the link is withdrawn, or
        another process claimed it later than `settled_before`: its message may be on its way.
        """

    async def replied(self, delivery_id: str, reply: str) -> None:
        """Our message has arrived, and this is its name."""

    async def answered(self, delivery_id: str, digest_id: str) -> None: ...

    async def failed(self, delivery_id: str, error: str, reason: str = "") -> None: ...

    async def withdraw(
        self, place: Place, message: str, *, keep: Sequence[str] = ()
    ) -> list[Delivery]:
        """The message was deleted, or edited so that only the links in `keep` are left in it.

        Its other deliveries become withdrawn (the answered ones too) and are returned.
        """

    async def of_reply(self, place: Place, reply: str) -> Delivery | None:
        """Whose answer a message of ours is."""

    async def of_message(self, place: Place, message: str) -> list[Delivery]: ...

    async def unanswered(
        self, accepted_before: datetime, limit: int, *, after: str = ""
    ) -> list[Delivery]:
        """Still waiting, in the order of their ids, from the first one behind `after`: a page of
        all those that nobody may be working on."""

    async def waiting(self) -> int:
        """How many are accepted and not answered yet, in all places."""

    async def count(
        self,
        platform: Platform,
        workspace: str,
        since: datetime,
        *,
        by: str = "",
        channel: str = "",
    ) -> int:
        """Links accepted since then from a person or in a channel (exactly one is given)."""

    async def recent(
        self, platform: Platform, workspace: str, limit: int, *, channel: str = ""
    ) -> list[Delivery]:
        """Answered ones, the newest first."""

    async def seen(self, platform: Platform, workspace: str, event: str) -> bool:
        """Whether this event of the platform came before; remembers it durably if not."""


class Profiles(Protocol):
    """What each channel wants."""

    async def get(self, place: Place) -> ChannelProfile:
        """The default profile where none was set."""

    async def put(self, place: Place, profile: ChannelProfile, *, by: str) -> None: ...


class Subscriptions(Protocol):
    """Who wants a daily digest of what. Raises StorageUnavailable throughout."""

    async def put(self, subscription: Subscription) -> None:
        """Replaces one with the same id; its `created_at` and `secret` stay as they were kept
        first. Its sources must be known (`Feeds`)."""

    async def get(self, subscription_id: str) -> Subscription | None: ...

    async def of(self, place: Place) -> list[Subscription]:
        """Those of a channel, whatever the thread, in the order of their making."""

    async def all(self) -> list[Subscription]: ...

    async def of_secret(self, secret: str) -> Subscription | None:
        """Whose feed has this secret address."""

    async def pause(self, subscription_id: str, paused: bool) -> bool:
        """False where there is none such."""

    async def remove(self, subscription_id: str) -> bool:
        """With all that was announced for it. False where there is none such."""


class Announcements(Protocol):
    """What we say by ourselves, each thing once. Raises StorageUnavailable throughout."""

    async def keep(self, announcement: Announcement) -> Announcement | None:
        """The one that is kept from now on: this one, or one with its id that was there before.
        None where its subscription is gone."""

    async def get(self, announcement_id: str) -> Announcement | None: ...

    async def mornings(
        self, subscription_id: str, limit: int, *, before: date | None = None
    ) -> list[Announcement]:
        """The newest first; those without anything to read included."""

    async def latest(self) -> Mapping[str, date]:
        """The last morning of each subscription that had one."""

    async def posted(self, subscription_id: str) -> frozenset[str]:
        """The keys of every article it was ever told of (`core.announcements.Posted.keys`)."""

    async def known(self, ids: Collection[str]) -> frozenset[str]:
        """Which of these announcements are kept."""

    async def claim(self, announcement_id: str, by: str, *, settled_before: datetime) -> bool:
        """As `Deliveries.claim`."""

    async def replied(self, announcement_id: str, reply: str) -> None: ...


class Workspaces(Protocol):
    """Who has installed the bot."""

    async def put(self, workspace: Workspace) -> None: ...

    async def get(self, platform: Platform, workspace_id: str) -> Workspace | None: ...

    async def all(self, platform: Platform) -> list[Workspace]: ...


class Processes(Protocol):
    """Signs of life of the processes that share the work."""

    async def beat(self, process: Process) -> None:
        """It lives now."""

    async def retire(self, process_id: str) -> None:
        """It has stopped by itself: dead from now on, without waiting for its lease."""

    async def dead(self, lease: float) -> list[str]:
        """Ids of those that have been silent for so many seconds, or have retired."""

    async def all(self) -> list[Process]: ...

    async def forget(self, process_id: str) -> None: ...


class Erasing(Protocol):
    """Everything of a person, a channel or a workspace, whichever table it stands in."""

    async def look(self, scope: Scope) -> Erased:
        """What `erase` would delete; nothing is changed."""

    async def erase(self, scope: Scope) -> Erased:
        """Whole or not at all. What others shared as well stays."""


class Feeds(Protocol):
    """Feeds, and what they announced. Raises StorageUnavailable throughout."""

    async def add(
        self,
        url: str,
        *,
        kind: SourceKind = "feed",
        title: str = "",
        site: str = "",
        language: Language | None = None,
    ) -> Source:
        """Due at once. An address that is there already (also as the one it had before it moved)
        gives the source that is there; one that was gone or paused lives again. Raises BadLink."""

    async def get(self, source_id: str) -> Source | None: ...

    async def of(self, source_ids: Sequence[str]) -> list[Source]:
        """In the order of the ids; unknown ones are passed over."""

    async def all(self, limit: int = 1000, *, after: str = "") -> list[Source]:
        """In the order of their ids, from the first one behind `after`."""

    async def pause(self, source_id: str) -> None:
        """Nobody wants it at present: not polled until it is added again."""

    async def remove(self, source_id: str) -> None:
        """With its entries, and out of every subscription."""

    async def due(self, now: datetime, limit: int, *, by: str, lease: float) -> list[Source]:
        """Those whose turn it is, the longest due first, claimed for the process `by`: nobody
        else is given them, nor others of their hosts, until they are polled, released, or
        `lease` seconds are over. Few of one host at a time."""

    async def release(self, by: str) -> None:
        """What a process has claimed and not polled may be claimed by others at once."""

    async def next_due(self) -> datetime | None:
        """When the next unclaimed source is due; None where there is none."""

    async def polled(
        self, source: Source, announced: Sequence[Announced], *, by: str
    ) -> list[Entry]:
        """Keeps the new state and ends the claim. Of what was announced the entries are returned
        that are new by id, link and content, also to every other source; the first time the
        newest few. Nothing is kept where the source is gone or another process has claimed it."""

    async def entries_since(
        self, source_ids: Sequence[str], since: datetime, limit: int
    ) -> list[Entry]:
        """Seen after that moment, the newest first, each identity once. Without those that one of
        these sources had announced before. Digested or not."""

    async def waiting(self, limit: int) -> list[Entry]:
        """Entries without digest and error, the newest first, each link once: to be digested
        ahead of the morning."""

    async def digested(
        self, entry_id: str, *, digest_id: str | None = None, error: str | None = None
    ) -> None:
        """Holds for every entry with the same link. A digest that comes later replaces an error."""

    async def given_up(self, limit: int) -> list[Source]:
        """Gone sources whose subscribers were not told yet."""

    async def told(self, source_id: str) -> None:
        """The subscribers of a gone source know."""


class Library(Protocol):
    """Search in what was read. Raises StorageUnavailable throughout."""

    async def add(self, record: DigestRecord, article: Article) -> None:
        """Adding the same digest again replaces it. `record` is kept in Digests before."""

    async def remove(self, digest_ids: Sequence[str]) -> None:
        """Those that are not there are passed over."""

    async def search(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 10,
        rewrites: Sequence[str] = (),
    ) -> list[Hit]:
        """Each article once, the best first; without a query the newest first.

        `rewrites`: other wordings of the same question, beside those that are made here.
        """

    async def passages(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 3,
        rewrites: Sequence[str] = (),
    ) -> list[Passage]:
        """The best passages, at most two of one article; `limit` in all."""

    async def state(self) -> LibraryState:
        """How complete the index is."""


class AskedTerms(Protocol):
    """Terms that people had explained to them. Raises StorageUnavailable throughout."""

    async def add(self, place: Place, by: str, term: str, language: Language) -> None:
        """`by`: the person, in the platform's own words."""

    async def often(self, place: Place, limit: int) -> list[str]:
        """Those asked for most in a channel, the most frequent first."""
