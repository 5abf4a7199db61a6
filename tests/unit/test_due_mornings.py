"""When mornings are: every clock change of a year, late wakes, restarts, quiet hours."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_subscriptions import (
    FakeAnnouncements,
    FakeSubscriptions,
    a_subscription,
)

from bot.schedule import Mornings, Schedule
from core.announcements import Announcement, morning_id
from core.errors import BadSubscription
from core.feed import Entry, Source, Subscription
from core.mornings import due, in_quiet_hours, moment, next_moment, window, zone_of

ZONES = ["Asia/Seoul", "America/New_York", "Europe/London", "Australia/Lord_Howe"]
SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
YEAR = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "at", "zone", "expected"),
    [
        (date(2026, 11, 26), time(8), SEOUL, utc(2026, 11, 25, 23)),
        # 02:30 does not exist on 8 March: the clocks show 03:30 instead.
        (date(2026, 3, 8), time(2, 30), NEW_YORK, utc(2026, 3, 8, 7, 30)),
        # 01:30 comes twice on 1 November: the first one.
        (date(2026, 11, 1), time(1, 30), NEW_YORK, utc(2026, 11, 1, 5, 30)),
        # Half an hour only: 02:15 is 02:45 on 4 October, and 01:45 comes twice on 5 April.
        (date(2026, 10, 4), time(2, 15), LORD_HOWE, utc(2026, 10, 3, 15, 45)),
        (date(2026, 4, 5), time(1, 45), LORD_HOWE, utc(2026, 4, 4, 14, 45)),
    ],
)
def test_a_local_time_is_one_moment(
    day: date, at: time, zone: ZoneInfo, expected: datetime
) -> None:
    assert moment(day, at, zone) == expected


def test_a_date_that_a_zone_leaves_out_has_no_morning() -> None:
    samoa = a_subscription(timezone="Pacific/Apia", created_at=utc(2011, 1, 1))
    seen = set()
    now, last = utc(2011, 12, 28), None
    for _ in range(24 * 7):
        now += timedelta(hours=1)
        day = due(samoa, now, last)
        if day is not None:
            seen.add(day)
            last = day
    assert date(2011, 12, 30) not in seen
    assert {date(2011, 12, 29), date(2011, 12, 31)} <= seen


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../passwd", "Asia"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadSubscription):
        zone_of(name)


def test_a_morning_is_due_from_its_time_on_and_not_before() -> None:
    one = a_subscription()
    at = moment(date(2026, 11, 26), time(8), SEOUL)
    assert due(one, at - timedelta(microseconds=1), date(2026, 11, 25)) is None
    assert due(one, at, date(2026, 11, 25)) == date(2026, 11, 26)
    assert due(one, at, date(2026, 11, 26)) is None


def test_of_several_missed_mornings_only_the_latest_is_due() -> None:
    one = a_subscription()
    now = moment(date(2026, 11, 26), time(15), SEOUL)
    assert due(one, now, date(2026, 11, 20)) == date(2026, 11, 26)
    early = moment(date(2026, 11, 26), time(3), SEOUL)
    assert due(one, early, date(2026, 11, 20)) == date(2026, 11, 25)


def test_a_new_subscription_begins_with_its_first_morning() -> None:
    made = moment(date(2026, 11, 26), time(10), SEOUL)
    one = a_subscription(created_at=made)
    assert due(one, made + timedelta(hours=1), None) is None
    assert next_moment(one, made) == moment(date(2026, 11, 27), time(8), SEOUL)


def test_a_paused_one_has_no_mornings_and_owes_one_when_it_goes_on() -> None:
    now = moment(date(2026, 11, 26), time(9), SEOUL)
    assert due(a_subscription(paused=True), now, None) is None
    assert next_moment(a_subscription(paused=True), now) is None
    assert due(a_subscription(), now, date(2026, 11, 1)) == date(2026, 11, 26)


def test_only_the_wished_days_have_mornings() -> None:
    monday = a_subscription(days=frozenset({0}))
    sunday = moment(date(2026, 11, 29), time(9), SEOUL)
    assert due(monday, sunday, date(2026, 11, 23)) is None
    assert due(monday, sunday, date(2026, 11, 16)) == date(2026, 11, 23)
    assert next_moment(monday, sunday) == moment(date(2026, 11, 30), time(8), SEOUL)
    assert next_moment(a_subscription(days=frozenset()), sunday) is None


def test_quiet_hours_put_a_morning_off_and_keep_its_date() -> None:
    one = a_subscription(at=time(23), quiet=(time(22), time(7)))
    night = moment(date(2026, 11, 27), time(1), SEOUL)
    morning = moment(date(2026, 11, 27), time(7), SEOUL)
    assert due(one, night, date(2026, 11, 25)) is None
    assert due(one, morning, date(2026, 11, 25)) == date(2026, 11, 26)
    assert next_moment(one, night) == morning


def test_moving_west_does_not_repeat_a_date() -> None:
    """Posted in Seoul on the 26th; in New York it is still the 25th."""
    now = moment(date(2026, 11, 26), time(8, 1), SEOUL)
    moved = a_subscription(timezone="America/New_York")
    assert due(moved, now, date(2026, 11, 26)) is None
    later = moment(date(2026, 11, 26), time(9), NEW_YORK)
    assert due(moved, later, date(2026, 11, 26)) is None


def test_entries_have_two_mornings_chance() -> None:
    one = a_subscription(created_at=utc(2026, 11, 20))
    assert window(one, []) == utc(2026, 11, 13)
    assert window(one, [utc(2026, 11, 25)]) == utc(2026, 11, 18)
    assert window(one, [utc(2026, 11, 25), utc(2026, 11, 24)]) == utc(2026, 11, 24)


# --- a year


class Quick(FakeAnnouncements):
    """The last morning of each at hand: it is asked for thousands of times."""

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, date] = {}

    async def keep(self, announcement: Announcement) -> Announcement | None:
        mine = announcement.subscription_id
        self.last[mine] = max(announcement.day, self.last.get(mine, announcement.day))
        return await super().keep(announcement)

    async def latest(self) -> Mapping[str, date]:
        return self.last


class Begun:
    """The workflows of a database: each id begins once, and keeps its morning a little later."""

    def __init__(self, announcements: FakeAnnouncements) -> None:
        self.announcements = announcements
        self.mornings: dict[str, tuple[date, datetime]] = {}
        self.now = utc(2026, 1, 1)
        self.finished = 0

    async def begin_morning(self, subscription: Subscription, day: date) -> None:
        name = f"daily:{subscription.id}:{day}"
        self.mornings.setdefault(name, (day, self.now))

    async def finish(self) -> None:
        """What was begun is posted."""
        names = [*self.mornings][self.finished :]
        self.finished = len(self.mornings)
        for name in names:
            (day, at), subscription = self.mornings[name], name.split(":")[1]
            made = Announcement(morning_id(subscription, day), subscription, "daily", day, at)
            await self.announcements.keep(made)

    async def begin_telling_gone(self, subscription: Subscription, source: Source) -> None:
        raise AssertionError("no feed was given up")

    async def begin_entry(self, entry: Entry, language: str) -> None:
        raise AssertionError("there are no entries")


class NoFeeds:
    async def given_up(self, limit: int) -> list[Source]:
        return []

    async def waiting(self, limit: int) -> list[Entry]:
        return []

    async def undigested(self, subscription: Subscription) -> list[Entry]:
        return []


class Year:
    """A bot that lives for a year on a clock of its own: `processes` of them share the memory."""

    def __init__(
        self, subscriptions: list[Subscription], processes: int = 1, *, looks: bool = False
    ) -> None:
        self.looks = looks
        self.announcements = Quick()
        self.subscriptions = FakeSubscriptions(announcements=self.announcements)
        self.subscriptions.kept.update((one.id, one) for one in subscriptions)
        self.begun = Begun(self.announcements)
        self.processes = [self.started() for _ in range(processes)]

    def started(self) -> Schedule:
        feeds = NoFeeds()
        return Schedule(
            self.subscriptions,
            self.announcements,
            feeds,  # type: ignore[arg-type]
            feeds,
            self.begun,
            now=lambda: self.begun.now,
        )

    def wakes(self, now: datetime) -> datetime:
        """When APScheduler would wake us, by our own trigger."""
        triggers = map(Mornings, self.subscriptions.kept.values())
        times = [trigger.get_next_fire_time(None, now) for trigger in triggers]
        known = [one for one in times if one is not None]
        # It looks every minute, too; an hour is enough to show what that is for.
        return min([*known, now + timedelta(hours=1)] if self.looks else known)

    async def live(self, until: datetime, lateness: Iterator[timedelta]) -> None:
        while self.begun.now < until:
            self.begun.now = self.wakes(self.begun.now) + next(lateness)
            for process in self.processes:
                await process.look()
            await self.begun.finish()

    def days(self, subscription: str) -> list[date]:
        mine = [
            day for name, (day, _) in self.begun.mornings.items() if f":{subscription}:" in name
        ]
        assert len(mine) == len(set(mine)), "a day twice"
        return mine


def on_time() -> Iterator[timedelta]:
    while True:
        yield timedelta()


def late(seed: int, hours: float) -> Iterator[timedelta]:
    """Now and then asleep, for up to so many hours."""
    dice = random.Random(seed)  # noqa: S311
    while True:
        yield timedelta(hours=dice.uniform(0, hours) if dice.random() < 0.3 else 0)


START, END = utc(2026, 1, 1), utc(2027, 1, 2)


@pytest.mark.parametrize(
    "at", [time(0, 0), time(1, 45), time(2, 15), time(2, 30), time(8), time(23, 59)]
)
async def test_in_a_year_every_local_day_has_its_morning_once(at: time) -> None:
    year = Year([a_subscription(zone, timezone=zone, at=at) for zone in ZONES], processes=2)
    year.begun.now = START - timedelta(days=1)
    await year.live(END, on_time())
    for zone in ZONES:
        days = year.days(zone)
        assert set(YEAR) <= set(days), zone
        for day, now in year.begun.mornings.values():
            assert day is not None
            assert now <= END + timedelta(days=1)
    for name, (day, now) in year.begun.mornings.items():
        where = ZoneInfo(name.split(":")[1])
        # The first morning is the one that was missed before we lived.
        if day >= YEAR[1]:
            assert timedelta() <= now - moment(day, at, where) < timedelta(hours=1), name


@pytest.mark.parametrize("seed", range(2))
async def test_late_wakes_lose_no_day_and_repeat_none(seed: int) -> None:
    """Up to 13 hours late: every day is still posted, if only on its evening."""
    year = Year([a_subscription(zone, timezone=zone) for zone in ZONES], processes=2)
    year.begun.now = START - timedelta(days=1)
    await year.live(END, late(seed, 13))
    for zone in ZONES:
        assert set(YEAR) <= set(year.days(zone)), zone


@pytest.mark.parametrize("seed", range(2))
async def test_days_asleep_are_caught_up_once(seed: int) -> None:
    """After up to four days away: one morning, the latest, and never one that is older."""
    dice = random.Random(seed)  # noqa: S311
    year = Year([a_subscription(zone, timezone=zone) for zone in ZONES])
    year.begun.now = START
    while year.begun.now < END:
        before = len(year.begun.mornings)
        year.processes = [year.started()]  # a restart remembers nothing by itself
        year.begun.now += timedelta(hours=dice.uniform(0.1, 96))
        await year.processes[0].look()
        await year.processes[0].look()
        assert len(year.begun.mornings) - before <= len(ZONES)
        await year.begun.finish()
    for zone in ZONES:
        days = year.days(zone)
        assert days == sorted(days)
        assert len(days) > 120


@pytest.mark.parametrize("zone", ZONES)
async def test_wishes_of_days_and_quiet_hours_hold_all_year(zone: str) -> None:
    weekly = a_subscription(
        "weekly",
        timezone=zone,
        at=time(6),
        days=frozenset({0, 3}),
        quiet=(time(21, 30), time(7, 30)),
    )
    year = Year([weekly], looks=True)
    year.begun.now = START - timedelta(days=1)
    await year.live(END, late(1, 20))
    wished = {day for day in YEAR if day.weekday() in (0, 3)}
    assert wished <= set(year.days("weekly"))
    for day, now in year.begun.mornings.values():
        assert day.weekday() in (0, 3)
        assert not in_quiet_hours(weekly, now)


subscriptions = st.builds(
    lambda zone, at, days, quiet: a_subscription(
        timezone=zone, at=at, days=days, quiet=quiet, created_at=None
    ),
    st.sampled_from([*ZONES, "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo"]),
    st.times(),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.none() | st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] != pair[1]),
)
moments = st.datetimes(
    min_value=datetime(2008, 1, 1),  # noqa: DTZ001 - the zone comes from `timezones`
    max_value=datetime(2037, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@settings(max_examples=100, deadline=None)
@given(subscriptions, moments)
def test_whoever_wakes_when_told_finds_a_morning_and_then_no_more(
    subscription: Subscription, now: datetime
) -> None:
    wake = next_moment(subscription, now)
    assert wake is not None
    assert now < wake <= now + timedelta(days=9)
    day = due(subscription, wake, None)
    assert day is not None
    assert due(subscription, wake, day) is None
    assert due(subscription, wake - timedelta(seconds=1), day) is None
