"""What a chat hears becomes deliveries: modes, limits, edits, and nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from support.fakes import FakeDeliveries, FakeProfiles

from bot.receiving import Heard, Receiver
from core.errors import AskedTooOften, StorageUnavailable
from core.places import ChannelProfile, Delivery, Mode, Place
from core.settings import LimitSettings

PLACE = Place("slack", "T1", "C1")
A, B = "https://a.example/post", "https://b.example/post"


class Line:
    """A queue in memory."""

    def __init__(self) -> None:
        self.queued: list[Delivery] = []
        self.taken_back: list[Delivery] = []
        self.away = False
        self.coming = 0

    async def enqueue(self, delivery: Delivery) -> None:
        if self.away:
            raise StorageUnavailable("queue")
        self.queued.append(delivery)

    async def take_back(self, deliveries: Sequence[Delivery]) -> None:
        self.taken_back.extend(deliveries)


class World:
    def __init__(self, **limits: int) -> None:
        self.line = Line()
        self.deliveries = FakeDeliveries()
        self.profiles = FakeProfiles()
        self.receiver = Receiver(self.deliveries, self.profiles, self.line, LimitSettings(**limits))

    @property
    def links(self) -> list[str]:
        return [delivery.shared.link for delivery in self.line.queued]


def heard(*links: str, message: str = "1.0", by: str = "U1", asked: bool = False) -> Heard:
    return Heard(PLACE, message, by, links, asked=asked)


async def test_each_link_is_accepted_and_queued() -> None:
    world = World()
    heeded = await world.receiver.hear(heard(A, B))
    assert [delivery.canonical for delivery in heeded.accepted] == [A, B]
    assert world.links == [A, B]
    assert (heeded.left_out, heeded.limit) == (0, None)


async def test_a_message_heard_again_changes_nothing() -> None:
    world = World()
    await world.receiver.hear(heard(A))
    again = await world.receiver.hear(heard(A))
    assert len(again.accepted) == 1
    assert world.links == [A]


async def test_the_same_article_twice_in_a_message_is_one() -> None:
    world = World()
    await world.receiver.hear(heard(A, A + "?utm_source=slack", A + "#top"))
    assert world.links == [A]


async def test_what_is_no_link_is_passed_over() -> None:
    world = World()
    await world.receiver.hear(heard("mailto:a@b.c", "http://", A))
    assert world.links == [A]


@pytest.mark.parametrize(
    ("mode", "asked", "answered"),
    [
        ("auto", False, True),
        ("auto", True, True),
        ("ask", False, False),
        ("ask", True, True),
        ("off", True, False),
    ],
)
async def test_the_channel_s_mode_decides(mode: Mode, asked: bool, answered: bool) -> None:
    world = World()
    await world.profiles.put(PLACE, ChannelProfile(mode=mode), by="U9")
    await world.receiver.hear(heard(A, asked=asked))
    assert world.links == ([A] if answered else [])


async def test_the_channel_s_languages_go_with_the_link() -> None:
    world = World()
    await world.profiles.put(PLACE, ChannelProfile(language="ko", ui="ko"), by="U9")
    await world.receiver.hear(heard(A))
    [delivery] = world.line.queued
    assert (delivery.shared.language, delivery.shared.ui) == ("ko", "ko")


async def test_of_many_links_in_a_message_the_first_ones_are_digested_and_the_rest_is_said() -> (
    None
):
    world = World(links_per_message=2)
    heeded = await world.receiver.hear(heard(A, B, "https://c.example/", "https://d.example/"))
    assert world.links == [A, B]
    assert (heeded.left_out, heeded.limit) == (2, "limit.message")


async def test_a_person_has_a_share_of_an_hour() -> None:
    world = World(user_per_hour=1)
    await world.receiver.hear(heard(A))
    heeded = await world.receiver.hear(heard(B, message="2.0"))
    assert (heeded.accepted, heeded.limit) == ((), "limit.user")
    other = await world.receiver.hear(heard(B, message="3.0", by="U2"))
    assert other.limit is None


async def test_what_a_person_shares_at_once_is_counted_too() -> None:
    world = World(user_per_hour=2)
    links = [f"https://a.example/{number}" for number in range(6)]
    heeded = await asyncio.gather(
        *(world.receiver.hear(heard(link, message=link)) for link in links)
    )
    assert [one.limit for one in heeded] == [None, None, *["limit.user"] * 4]
    assert len(world.line.queued) == 2


async def test_a_channel_has_a_share_of_an_hour() -> None:
    world = World(channel_per_hour=1)
    await world.receiver.hear(heard(A))
    heeded = await world.receiver.hear(heard(B, message="2.0", by="U2"))
    assert heeded.limit == "limit.channel"


async def test_what_was_accepted_before_is_not_counted_again() -> None:
    world = World(user_per_hour=1)
    await world.receiver.hear(heard(A))
    again = await world.receiver.hear(heard(A))
    assert (len(again.accepted), again.limit) == (1, None)


async def test_a_link_edited_away_is_taken_back_and_a_new_one_accepted() -> None:
    world = World()
    await world.receiver.hear(heard(A))
    await world.receiver.edited(heard(B))
    assert [delivery.canonical for delivery in world.line.taken_back] == [A]
    assert world.links == [A, B]


async def test_a_link_edited_out_and_in_again_is_answered_again_once_for_each_return() -> None:
    world = World()
    await world.receiver.hear(heard(A))
    for _ in range(2):
        await world.receiver.edited(heard(B))
        await world.receiver.edited(heard(A, B))
        await world.receiver.edited(heard(A, B))  # told twice
    assert world.links == [A, B, A, A]
    assert len({delivery.id for delivery in world.line.queued}) == 4


async def test_a_message_told_late_brings_nothing_back() -> None:
    world = World()
    await world.receiver.hear(heard(A))
    await world.receiver.deleted(PLACE, "1.0")
    await world.receiver.hear(heard(A))
    assert world.links == [A]


async def test_a_link_that_comes_and_goes_for_ever_is_left_alone_at_last() -> None:
    world = World()
    for _ in range(10):
        await world.receiver.edited(heard(A))
        await world.receiver.edited(heard())
    assert world.links == [A] * 4


async def test_what_comes_back_counts_as_a_link_of_the_person() -> None:
    world = World(user_per_hour=2)
    await world.receiver.hear(heard(A))
    limits = []
    for _ in range(2):
        await world.receiver.edited(heard())
        limits.append((await world.receiver.edited(heard(A))).limit)
    assert (world.links, limits) == ([A, A], [None, "limit.user"])


async def test_once_more_is_within_a_person_s_share_of_an_hour() -> None:
    world = World(user_per_hour=2)
    [delivery] = (await world.receiver.hear(heard(A))).accepted
    further = replace(delivery.shared, by="U2", nonce="a")
    await world.receiver.once_more(further)
    await world.receiver.once_more(replace(further, nonce="b"))
    with pytest.raises(AskedTooOften):
        await world.receiver.once_more(replace(further, nonce="c"))
    await world.receiver.once_more(replace(further, nonce="c", by="U3"))
    assert len(world.line.queued) == 4
    heeded = await world.receiver.hear(heard(B, message="2.0", by="U2"))
    assert heeded.limit == "limit.user"


async def test_an_edit_that_leaves_the_link_changes_nothing() -> None:
    world = World()
    await world.receiver.hear(heard(A))
    await world.receiver.edited(heard(A + "?utm_source=edit"))
    assert world.line.taken_back == []
    assert world.links == [A]


async def test_a_deleted_message_is_taken_back_whole() -> None:
    world = World()
    await world.receiver.hear(heard(A, B))
    await world.receiver.deleted(PLACE, "1.0")
    assert {delivery.canonical for delivery in world.line.taken_back} == {A, B}


async def test_accepted_stays_accepted_while_the_queue_is_away() -> None:
    world = World()
    world.line.away = True
    heeded = await world.receiver.hear(heard(A))
    [delivery] = heeded.accepted
    assert await world.deliveries.get(delivery.id) == delivery
