"""What every keeper of deliveries does: the fake and both databases, through the same expectations."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import PLACE, URL, a_shared_link
from support.fakes import FakeDeliveries

from core.errors import BadLink
from core.places import Delivery, Place, SharedLink
from core.ports import Deliveries
from storage.deliveries import SqlDeliveries

OTHER = replace(PLACE, channel="C2")

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Clock:
    """Goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliveries(keeper: AsyncEngine | None, clock: Clock) -> Deliveries:
    return FakeDeliveries(clock) if keeper is None else SqlDeliveries(keeper, clock)


def link(number: int, place: Place = PLACE) -> SharedLink:
    return a_shared_link(f"https://a.example/{number}", place=place, message=f"{number}.0")


async def accepted(deliveries: Deliveries, shared: SharedLink) -> Delivery:
    delivery, new = await deliveries.accept(shared)
    assert new
    return delivery


# --- accepting


async def test_what_was_accepted_comes_back_equal(deliveries: Deliveries) -> None:
    shared = a_shared_link(
        "https://a.example/글?utm_source=x#top",
        place=Place("discord", "77", "88", "99"),
        language="ko",
        ui="ko",
        nonce="ab12",
        again=True,
    )
    delivery = await accepted(deliveries, shared)
    assert delivery == await deliveries.get(delivery.id)
    assert (delivery.id, delivery.shared, delivery.state) == (shared.key, shared, "waiting")
    assert delivery.canonical == "https://a.example/%EA%B8%80"
    assert (delivery.tried_by, delivery.reply, delivery.digest_id) == (None, None, None)
    assert delivery.accepted_at.tzinfo is UTC


async def test_a_link_accepted_again_is_the_same_delivery(deliveries: Deliveries) -> None:
    first = await accepted(deliveries, a_shared_link())
    again, new = await deliveries.accept(a_shared_link(URL + "?utm_source=x", by="U2"))
    assert (again, new) == (first, False)


async def test_many_who_accept_one_link_at_once_have_one_delivery(deliveries: Deliveries) -> None:
    found = await asyncio.gather(*(deliveries.accept(a_shared_link()) for _ in range(8)))
    assert sum(new for _, new in found) == 1
    assert len({delivery.id for delivery, _ in found}) == 1


async def test_what_is_no_link_is_not_accepted(deliveries: Deliveries) -> None:
    with pytest.raises(BadLink):
        await deliveries.accept(a_shared_link("mailto:dana@a.example"))
    assert await deliveries.of_message(PLACE, "1.0") == []


async def test_what_was_never_accepted_is_none(deliveries: Deliveries) -> None:
    assert await deliveries.get("f" * 32) is None


# --- turns


async def test_the_first_turn_is_one_and_a_channel_counts_on(deliveries: Deliveries) -> None:
    turns = [(await accepted(deliveries, link(number))).turn for number in range(3)]
    assert turns == [1, 2, 3]


async def test_a_channel_with_one_link_does_not_wait_for_one_with_many(
    deliveries: Deliveries,
) -> None:
    for number in range(20):
        await accepted(deliveries, link(number))
    assert (await accepted(deliveries, link(99, OTHER))).turn == 1


async def test_who_comes_late_is_not_ahead_of_those_who_wait(deliveries: Deliveries) -> None:
    first = [await accepted(deliveries, link(number)) for number in range(5)]
    for delivery in first[:3]:
        await deliveries.answered(delivery.id, "d" * 24)
    assert (await accepted(deliveries, link(9, OTHER))).turn == 4


async def test_turns_begin_anew_when_nobody_waits(deliveries: Deliveries) -> None:
    for number in range(3):
        delivery = await accepted(deliveries, link(number))
        await deliveries.failed(delivery.id, "not_found")
    assert (await accepted(deliveries, link(4))).turn == 1


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, channel="C2"),
        replace(PLACE, workspace="T2"),
        replace(PLACE, platform="discord"),
    ],
    ids=["channel", "workspace", "platform"],
)
async def test_a_channel_is_platform_workspace_and_channel(
    deliveries: Deliveries, place: Place
) -> None:
    await accepted(deliveries, link(1))
    await accepted(deliveries, link(2))
    assert (await accepted(deliveries, link(3, place))).turn == 1
    assert (await accepted(deliveries, link(4, replace(PLACE, thread="1.0")))).turn == 3


async def test_links_accepted_at_once_have_fair_turns(deliveries: Deliveries) -> None:
    wanted = [link(number, place) for number in range(6) for place in (PLACE, OTHER)]
    found = await asyncio.gather(*map(deliveries.accept, wanted))
    assert all(new for _, new in found)
    assert {delivery.turn for delivery, _ in found} <= set(range(1, 7))


# --- on the way


async def test_a_delivery_remembers_how_far_it_is(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    assert await deliveries.claim(one.id, "me", settled_before=LONG_AGO)
    claimed = await deliveries.get(one.id)
    assert claimed is not None
    assert claimed == replace(one, tried_by="me", tried_at=claimed.tried_at)
    assert claimed.tried_at is not None
    await deliveries.replied(one.id, "1.5")
    assert await deliveries.get(one.id) == replace(claimed, reply="1.5")
    await deliveries.answered(one.id, "d" * 24)
    assert await deliveries.get(one.id) == replace(
        claimed, reply="1.5", state="answered", digest_id="d" * 24
    )


async def test_of_two_processes_one_may_say_it(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    may = await asyncio.gather(
        *(deliveries.claim(one.id, f"p{n}", settled_before=LONG_AGO) for n in range(6))
    )
    assert sum(may) == 1
    winner = f"p{may.index(True)}"
    assert await deliveries.claim(one.id, winner, settled_before=LONG_AGO), "its own again"


async def test_a_claim_that_is_old_enough_may_be_taken_over(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    assert await deliveries.claim(one.id, "dead", settled_before=LONG_AGO)
    assert not await deliveries.claim(one.id, "heir", settled_before=LONG_AGO)
    later = datetime.now(UTC) + timedelta(days=365)
    assert await deliveries.claim(one.id, "heir", settled_before=later)
    assert not await deliveries.claim(one.id, "dead", settled_before=LONG_AGO)


async def test_what_was_said_or_withdrawn_is_claimed_by_nobody(deliveries: Deliveries) -> None:
    said = await accepted(deliveries, a_shared_link())
    await deliveries.replied(said.id, "1.5")
    assert not await deliveries.claim(said.id, "me", settled_before=LONG_AGO)
    gone = await accepted(deliveries, a_shared_link(message="9.9"))
    await deliveries.withdraw(gone.shared.place, "9.9")
    assert not await deliveries.claim(gone.id, "me", settled_before=LONG_AGO)
    assert not await deliveries.claim("f" * 32, "me", settled_before=LONG_AGO)


async def test_a_failure_keeps_its_reason_until_there_is_an_answer(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    await deliveries.failed(one.id, "site_unavailable", "503 \0 from the site")
    failed = await deliveries.get(one.id)
    assert failed is not None
    assert (failed.state, failed.error) == ("failed", "site_unavailable")
    assert failed.reason.startswith("503 ")
    await deliveries.answered(one.id, "d" * 24)
    assert await deliveries.get(one.id) == replace(one, state="answered", digest_id="d" * 24)


async def test_what_is_answered_does_not_fail_any_more(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    await deliveries.answered(one.id, "d" * 24)
    await deliveries.failed(one.id, "failed")
    kept = await deliveries.get(one.id)
    assert kept is not None
    assert (kept.state, kept.error) == ("answered", None)


async def test_what_is_withdrawn_stays_withdrawn(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    await deliveries.withdraw(PLACE, "1.0")
    await deliveries.answered(one.id, "d" * 24)
    await deliveries.failed(one.id, "failed")
    kept = await deliveries.get(one.id)
    assert kept is not None
    assert kept.state == "withdrawn"


async def test_news_of_an_unknown_delivery_change_nothing(deliveries: Deliveries) -> None:
    for act in (deliveries.failed("f" * 32, "x"), deliveries.replied("f" * 32, "1.5")):
        await act
    await deliveries.answered("f" * 32, "d" * 24)
    await deliveries.failed("f" * 32, "failed")
    assert await deliveries.get("f" * 32) is None


# --- withdrawing


async def test_a_deleted_message_withdraws_all_its_links(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link("https://a.example/1"))
    two = await accepted(deliveries, a_shared_link("https://a.example/2"))
    other = await accepted(deliveries, a_shared_link(message="2.0"))
    elsewhere = await accepted(deliveries, a_shared_link(place=OTHER))
    await deliveries.answered(two.id, "d" * 24)
    gone = await deliveries.withdraw(replace(PLACE, thread="9.9"), "1.0")
    assert [(each.id, each.state) for each in gone] == [
        (one.id, "withdrawn"),
        (two.id, "withdrawn"),
    ]
    assert await deliveries.get(two.id) == gone[1]
    assert await deliveries.get(other.id) == other
    assert await deliveries.get(elsewhere.id) == elsewhere


async def test_an_edited_message_keeps_the_links_still_in_it(deliveries: Deliveries) -> None:
    kept = await accepted(deliveries, a_shared_link("https://a.example/1"))
    gone = await accepted(deliveries, a_shared_link("https://a.example/2"))
    keep = ["https://A.example/1?utm_source=x", "not a link"]
    assert [each.id for each in await deliveries.withdraw(PLACE, "1.0", keep=keep)] == [gone.id]
    assert await deliveries.get(kept.id) == kept


async def test_a_deletion_heard_twice_tells_the_same(deliveries: Deliveries) -> None:
    """Who died between withdrawing and taking back hears of it again."""
    await accepted(deliveries, a_shared_link())
    first = await deliveries.withdraw(PLACE, "1.0")
    assert await deliveries.withdraw(PLACE, "1.0") == first


# --- looking


async def test_an_answer_leads_to_its_delivery(deliveries: Deliveries) -> None:
    one = await accepted(deliveries, a_shared_link())
    await deliveries.replied(one.id, "1.5")
    found = await deliveries.of_reply(replace(PLACE, thread="1.0"), "1.5")
    assert found is not None
    assert found.id == one.id
    assert await deliveries.of_reply(OTHER, "1.5") is None
    assert await deliveries.of_reply(PLACE, "9.9") is None


async def test_a_message_leads_to_its_deliveries_in_their_order(deliveries: Deliveries) -> None:
    made = [
        await accepted(deliveries, a_shared_link(f"https://a.example/{number}"))
        for number in range(3)
    ]
    await accepted(deliveries, a_shared_link(message="2.0"))
    assert await deliveries.of_message(PLACE, "1.0") == made
    assert await deliveries.of_message(OTHER, "1.0") == []


async def test_the_unanswered_come_in_pages(deliveries: Deliveries, clock: Clock) -> None:
    made = [await accepted(deliveries, link(number)) for number in range(5)]
    before = clock()
    await accepted(deliveries, link(9))
    await deliveries.answered(made[0].id, "d" * 24)
    await deliveries.failed(made[1].id, "failed")
    waiting = sorted(delivery.id for delivery in made[2:])
    page = await deliveries.unanswered(before, 2)
    assert [each.id for each in page] == waiting[:2]
    rest = await deliveries.unanswered(before, 2, after=page[-1].id)
    assert [each.id for each in rest] == waiting[2:]
    assert await deliveries.unanswered(before, 2, after=rest[-1].id) == []
    assert await deliveries.waiting() == 4


async def test_links_are_counted_by_person_and_by_channel(
    deliveries: Deliveries, clock: Clock
) -> None:
    await accepted(deliveries, link(1))
    since = clock()
    await accepted(deliveries, link(2))
    await accepted(deliveries, replace(link(3), by="U2"))
    await accepted(deliveries, link(4, OTHER))
    await accepted(deliveries, link(5, replace(PLACE, workspace="T2")))
    assert await deliveries.count("slack", "T1", since, by="U1") == 2
    assert await deliveries.count("slack", "T1", since, by="U2") == 1
    assert await deliveries.count("slack", "T1", since, channel="C1") == 2
    assert await deliveries.count("slack", "T1", clock(), channel="C1") == 0
    assert await deliveries.count("discord", "T1", since, by="U1") == 0


async def test_the_newest_answers_come_first(deliveries: Deliveries) -> None:
    made = [await accepted(deliveries, link(number)) for number in range(4)]
    there = await accepted(deliveries, link(9, OTHER))
    for delivery in (made[0], made[1], made[3], there):
        await deliveries.answered(delivery.id, "d" * 24)
    await deliveries.failed(made[2].id, "failed")

    async def ids(limit: int, channel: str = "") -> list[str]:
        found = await deliveries.recent("slack", "T1", limit, channel=channel)
        return [delivery.id for delivery in found]

    assert await ids(9) == [there.id, made[3].id, made[1].id, made[0].id]
    assert await ids(2, "C1") == [made[3].id, made[1].id]
    assert await deliveries.recent("slack", "T2", 9) == []


async def test_an_event_is_new_once(deliveries: Deliveries) -> None:
    assert await deliveries.seen("slack", "T1", "Ev1") is False
    assert await deliveries.seen("slack", "T1", "Ev1") is True
    assert await deliveries.seen("slack", "T2", "Ev1") is False
    assert await deliveries.seen("discord", "T1", "Ev1") is False


async def test_an_event_that_comes_twice_at_once_is_new_once(deliveries: Deliveries) -> None:
    found = await asyncio.gather(*(deliveries.seen("slack", "T1", "Ev1") for _ in range(8)))
    assert sorted(found) == [False] + [True] * 7
