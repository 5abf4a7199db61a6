"""Subscribing and what follows from it, in words that no surface owns.

A surface hands over a form as text and shows what comes back; who may change a channel's
subscriptions is for the surface to know.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from bot import feed_words
from bot.feed_lists import known_feeds
from bot.feed_words import say
from core.announcements import Announcement
from core.article import Language
from core.errors import BadLink, FetchFailed
from core.feed import FoundFeed, Source, Subscription
from core.mornings import next_moment, zone_of
from core.places import Place
from core.ports import Announcements, Feeds, Subscriptions
from core.wishes import MOST_A_DAY, MOST_SOURCES, MOST_WORDS, Mistakes, Wishes, understood

log = logging.getLogger(__name__)
_LATELY = 7  # mornings
MOST_LISTED = 1000  # feeds of one OPML file


class Finder(Protocol):
    async def __call__(self, address: str) -> Sequence[FoundFeed]:
        """The best first. Raises BadLink, FetchFailed and NothingToRead with their kin."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """`others`: by address the further feeds found there, of which none was taken. `silent`:
    addresses of the catalogue where none was found just now."""

    subscription: Subscription
    sources: tuple[Source, ...]
    others: Mapping[str, tuple[str, ...]]
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """A subscription with all there is to tell of it. `sent`: articles lately, by source."""

    subscription: Subscription
    sources: tuple[Source, ...]
    last: Announcement | None
    sent: Mapping[str, int]
    next_at: datetime | None


class Subscribing:
    def __init__(
        self,
        subscriptions: Subscriptions,
        announcements: Announcements,
        feeds: Feeds,
        find: Finder,
        *,
        public_url: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.subscriptions = subscriptions
        self.announcements = announcements
        self.feeds = feeds
        self._find = find
        self._public_url = public_url.rstrip("/")
        self._now = now

    async def subscribe(
        self,
        place: Place,
        by: str,
        form: Mapping[str, str],
        *,
        ui: Language,
        listed: Sequence[FoundFeed] = (),
    ) -> Subscribed:
        """`listed`: feeds of a list, taken as they stand there; the poller finds out what lives.
        Raises Mistakes and StorageUnavailable."""
        wishes = understood(form, listed=bool(listed))
        return await self._keep(Subscription(_new_id(), place, by, (), ui=ui), wishes, listed)

    async def edit(self, subscription_id: str, form: Mapping[str, str]) -> Subscribed | None:
        """What is not in the form stays as it is. None: there is no such subscription."""
        known = await self.subscriptions.get(subscription_id)
        if known is None:
            return None
        before = await self.wishes(known)
        return await self._keep(known, understood(form, before))

    async def wishes(self, subscription: Subscription) -> Wishes:
        """As they would be written into the form."""
        one = subscription
        sources = await self.feeds.of(one.sources)
        return Wishes(
            sources=tuple(source.url for source in sources),
            low=one.low,
            high=one.high,
            language=one.language,
            include=one.include,
            avoid=one.avoid,
            at=one.at,
            timezone=one.timezone,
            days=one.days,
            size=one.size,
            quiet=one.quiet,
            say_nothing_new=one.say_nothing_new,
        )

    async def _keep(
        self, subscription: Subscription, wishes: Wishes, listed: Sequence[FoundFeed] = ()
    ) -> Subscribed:
        found, others, silent = await self._sources(subscription, wishes.sources)
        found += [await self._added(one) for one in listed[:MOST_LISTED]]
        sources = {source.id: source for source in found}  # two addresses may have one feed
        made = replace(
            subscription,
            sources=tuple(sources),
            low=wishes.low,
            high=wishes.high,
            language=wishes.language,
            include=wishes.include,
            avoid=wishes.avoid,
            at=wishes.at,
            timezone=wishes.timezone,
            days=wishes.days,
            size=wishes.size,
            quiet=wishes.quiet,
            say_nothing_new=wishes.say_nothing_new,
            secret=subscription.secret or secrets.token_urlsafe(24),
            created_at=subscription.created_at or self._now(),
        )
        await self.subscriptions.put(made)
        return Subscribed(made, tuple(sources.values()), others, tuple(silent))

    async def _sources(
        self, subscription: Subscription, addresses: Sequence[str]
    ) -> tuple[list[Source], dict[str, tuple[str, ...]], list[str]]:
        known = {one.url: one for one in await self.feeds.of(subscription.sources)}
        sources: list[Source] = []
        others: dict[str, tuple[str, ...]] = {}
        silent: list[str] = []
        for address in addresses:
            if address in known:
                sources.append(known[address])
                continue
            found = await self._found(address)
            if not found:
                found = [_listed_at(address)]
                silent.append(address)
            first, *further = found
            sources.append(await self._added(first))
            if further:
                others[address] = tuple(one.url for one in further)
        return sources, others, silent

    async def _added(self, found: FoundFeed) -> Source:
        return await self.feeds.add(
            found.url,
            kind=found.kind,
            title=found.title,
            site=found.site,
            language=found.language,
        )

    async def _found(self, address: str) -> Sequence[FoundFeed]:
        try:
            found = await self._find(address)
        except (BadLink, FetchFailed) as error:
            log.info("no feed at %s: %s", address, error)
            found = ()
        return found

    async def pause(self, subscription_id: str, paused: bool) -> Subscription | None:
        await self.subscriptions.pause(subscription_id, paused)
        return await self.subscriptions.get(subscription_id)

    async def remove(self, subscription_id: str) -> bool:
        """Feeds that nobody reads any more rest."""
        known = await self.subscriptions.get(subscription_id)
        if known is None or not await self.subscriptions.remove(subscription_id):
            return False
        wanted = {source for one in await self.subscriptions.all() for source in one.sources}
        for source in known.sources:
            if source not in wanted:
                await self.feeds.pause(source)
        return True

    async def get(self, subscription_id: str, place: Place) -> Subscription | None:
        """One of this channel; whose buttons are pressed elsewhere does not exist there."""
        found = await self.subscriptions.get(subscription_id)
        same = found is not None and replace(found.place, thread=None) == replace(
            place, thread=None
        )
        return found if same else None

    async def of(self, place: Place) -> list[Overview]:
        return [await self.overview(one) for one in await self.subscriptions.of(place)]

    async def overview(self, subscription: Subscription) -> Overview:
        mornings = await self.announcements.mornings(subscription.id, _LATELY)
        sent: dict[str, int] = {}
        for morning in mornings:
            for posted in morning.posted:
                sent[posted.source_id] = sent.get(posted.source_id, 0) + 1
        return Overview(
            subscription,
            tuple(await self.feeds.of(subscription.sources)),
            next((one for one in mornings if one.posted), None),
            sent,
            next_moment(subscription, self._now()),
        )

    def addresses(self, subscription: Subscription) -> tuple[str, str]:
        """Of its Atom and its JSON feed; paths alone where nobody said how we are reached."""
        base = f"{self._public_url}/feeds/{subscription.secret}"
        return f"{base}.atom", f"{base}.json"


class NoFeed(Mistakes):
    """Nothing at an address can be subscribed to."""

    def __init__(self, address: str) -> None:
        super().__init__({"sources": "no_feed"})
        self.address = address


def _listed_at(address: str) -> FoundFeed:
    """The catalogue is taken at its word: who chose five feeds shall not lose four because one is
    away today. The poller asks on, and says so when it gives up. Raises NoFeed."""
    listed = known_feeds().at(address)
    if listed is None:
        raise NoFeed(address)
    return listed


# --- what is said of it, alike on every surface


def mistakes(error: Mistakes, ui: Language) -> dict[str, str]:
    """A sentence for each field."""
    address = error.address if isinstance(error, NoFeed) else ""
    most = {"size": MOST_A_DAY, "too_many": MOST_SOURCES, "words": MOST_WORDS}
    return {
        name: say(f"mistake.{word}", ui, address=address, most=most.get(word), count=MOST_SOURCES)
        for name, word in error.fields.items()
    }


def mistakes_in_words(error: Mistakes, ui: Language) -> str:
    lines = (f"{say(f'field.{name}', ui)}: {text}" for name, text in mistakes(error, ui).items())
    return "\n".join(lines)


def next_in_words(subscription: Subscription, ui: Language) -> str:
    at = next_moment(subscription, datetime.now(UTC))
    return feed_words.moment(at, zone_of(subscription.timezone), ui)


def subscribed_in_words(done: Subscribed, ui: Language, *, changed: bool = False) -> str:
    when = next_in_words(done.subscription, ui)
    titles = ", ".join(map(feed_words.source_title, done.sources))
    said = say("changed", ui, when=when)
    if not changed:
        said = say("saved", ui, when=when, count=len(done.sources), titles=titles)
    further = [
        say("others", ui, address=address, others=", ".join(urls))
        for address, urls in done.others.items()
    ]
    if done.silent:
        further.append(say("silent", ui, addresses=", ".join(done.silent)))
    return "\n".join([said, *further])


def overview_lines(one: Overview, ui: Language) -> list[str]:
    """The wishes first, then how it goes, then each feed."""
    subscription = one.subscription
    zone = zone_of(subscription.timezone)
    lines = [feed_words.wishes(subscription, ui)]
    going = (
        []
        if subscription.paused
        else [say("next", ui, when=feed_words.moment(one.next_at, zone, ui))]
    )
    if one.last is not None:
        day = feed_words.long_day(one.last.day, ui)
        going.append(say("last", ui, day=day, count=len(one.last.posted)))
    lines += [" · ".join(going)] if going else []
    for source in one.sources:
        sent = one.sent.get(source.id, 0)
        told = [
            feed_words.source_title(source),
            feed_words.source_state(source, subscription.timezone, ui),
            *([say("sent", ui, count=sent)] if sent else []),
        ]
        lines.append(" · ".join(told))
    return lines


def form_of(wishes: Wishes) -> dict[str, str]:
    """The text of each field, as `core.wishes.understood` reads it."""
    quiet = wishes.quiet
    english = "mon tue wed thu fri sat sun".split()
    return {
        "sources": "\n".join(wishes.sources),
        "difficulty": f"{wishes.low:g}-{wishes.high:g}",
        "language": wishes.language,
        "include": ", ".join(wishes.include),
        "avoid": ", ".join(wishes.avoid),
        "at": feed_words.clock(wishes.at),
        "timezone": wishes.timezone,
        "days": ",".join(english[day] for day in sorted(wishes.days)),
        "size": str(wishes.size),
        "quiet": "" if quiet is None else "-".join(map(feed_words.clock, quiet)),
        "say_nothing_new": "yes" if wishes.say_nothing_new else "no",
    }


def _new_id() -> str:
    return secrets.token_hex(8)
