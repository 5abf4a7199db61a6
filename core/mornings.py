"""When a subscription's morning is: plain rules over local dates, right at every clock change.

A **morning** is known by its local date, whatever the clocks do: `at` that the clocks jump over
counts as if they had not (02:30 is then 03:30), `at` that comes twice counts the first time, and a
date that a zone leaves out (Samoa's 30 December 2011) has none. Who wakes late, after hours or
days, owes the latest morning and no other one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import BadSubscription
from core.feed import Subscription

_DAY = timedelta(days=1)
# Between two mornings on the same weekday lies a week; a day more for whoever moves west.
_LOOK_BACK = 8
_LOOK_AHEAD = 9


def zone_of(name: str) -> ZoneInfo:
    """Raises BadSubscription for a name that IANA does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSubscription(name, "no such time zone") from error


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """That local time of that day, in UTC."""
    # fold=0: of two the first, and in a gap the offset of before, which shifts it by the gap.
    return datetime.combine(day, at.replace(fold=0, tzinfo=None), zone).astimezone(UTC)


def exists(day: date, zone: ZoneInfo) -> bool:
    """False for a date that the zone leaves out."""
    noon = moment(day, time(12), zone)
    return noon.astimezone(zone).date() == day


def due(subscription: Subscription, now: datetime, last: date | None) -> date | None:
    """The morning that is to be posted now, by its local date; None: there is none (any more).

    `last` is the latest one that was posted. Of several that were missed only the latest is due.
    """
    if subscription.paused or in_quiet_hours(subscription, now):
        return None
    zone = zone_of(subscription.timezone)
    today = now.astimezone(zone).date()
    for back in range(_LOOK_BACK):
        day = today - back * _DAY
        if last is not None and day <= last:
            return None
        if day.weekday() in subscription.days and exists(day, zone):
            begins = moment(day, subscription.at, zone)
            if begins <= now:
                return day if _is_ours(subscription, begins) else None
    return None


def next_moment(subscription: Subscription, after: datetime) -> datetime | None:
    """When it is to be looked at again: the first morning after that, quiet hours waited out.
    None: never (paused, or no days)."""
    if subscription.paused:
        return None
    zone = zone_of(subscription.timezone)
    today = after.astimezone(zone).date()
    for ahead in range(-2, _LOOK_AHEAD):
        day = today + ahead * _DAY
        if day.weekday() not in subscription.days or not exists(day, zone):
            continue
        begins = moment(day, subscription.at, zone)
        speaks = after_quiet_hours(subscription, begins)
        if speaks > after and _is_ours(subscription, begins):
            return speaks
    return None


def in_quiet_hours(subscription: Subscription, now: datetime) -> bool:
    """By the clock on the wall; the end does not belong to them. They may cross midnight."""
    if subscription.quiet is None:
        return False
    begin, end = subscription.quiet
    clock = now.astimezone(zone_of(subscription.timezone)).time()
    if begin <= end:
        return begin <= clock < end
    return clock >= begin or clock < end


def after_quiet_hours(subscription: Subscription, now: datetime) -> datetime:
    """`now`, or the end of the quiet hours that it falls into."""
    if subscription.quiet is None or not in_quiet_hours(subscription, now):
        return now
    zone = zone_of(subscription.timezone)
    local = now.astimezone(zone)
    end = subscription.quiet[1]
    ends = moment(local.date() + (_DAY if local.time() >= end else timedelta()), end, zone)
    # At a clock change the wall may show the hours once more; an hour later they are over.
    while in_quiet_hours(subscription, ends):
        ends += timedelta(minutes=15)
    return ends


def window(subscription: Subscription, mornings: list[datetime]) -> datetime | None:
    """From when on an entry counts as new, by when it was seen. `mornings`: the times of the
    latest two, the newest first.

    Since the morning before the last one: what came too late for the last morning, or was
    digested too late, has this one; who has two chances is then old. The first mornings look a
    week back, so that a new subscription is not empty. None: whenever.
    """
    if len(mornings) >= 2:
        return mornings[1]
    begun = mornings[0] if mornings else subscription.created_at
    return None if begun is None else begun - timedelta(days=7)


def _is_ours(subscription: Subscription, begins: datetime) -> bool:
    """A morning from before there was the subscription was never promised."""
    return subscription.created_at is None or begins >= subscription.created_at
