"""The outbox: one message a link, whatever is lost on the way."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.builders import a_record
from support.chats import FakeChat, Lost
from support.fakes import FakeDeliveries

from bot.chats import Ready, Shown, Trouble, Waiting
from bot.delivering import SETTLED, Outbox
from core.errors import ChatFailed, ChatRefused, ChatUnavailable, MessageGone, NotFound
from core.places import Delivery, Place, SharedLink

PLACE = Place("slack", "T1", "C1")
READY = Ready(a_record())


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat()


@pytest.fixture
def deliveries() -> FakeDeliveries:
    return FakeDeliveries()


@pytest.fixture
def outbox(deliveries: FakeDeliveries, chat: FakeChat) -> Outbox:
    return Outbox(deliveries, {"slack": chat}, me="here")


@pytest.fixture
async def delivery(deliveries: FakeDeliveries) -> Delivery:
    shared = SharedLink("https://a.example/post", PLACE, "1.0", "U1")
    accepted, new = await deliveries.accept(shared)
    assert new
    return accepted


async def test_the_placeholder_is_edited_in_place(
    outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    assert await outbox.show(delivery.id, Waiting())
    assert await outbox.show(delivery.id, READY)
    [message] = chat.messages.values()
    assert message.said == [Waiting(), READY]
    assert chat.looked == [], "nothing was in doubt"


async def test_a_message_whose_arrival_was_never_heard_of_is_found_and_not_repeated(
    outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    chat.faults.append(Lost(ChatUnavailable("slack", "the connection broke off")))
    with pytest.raises(ChatUnavailable):
        await outbox.show(delivery.id, Waiting())
    assert await outbox.show(delivery.id, READY)
    [message] = chat.messages.values()
    assert message.stands == READY


async def test_a_message_that_never_arrived_is_sent_again(
    outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    chat.faults.append(ChatUnavailable("slack", "503"))
    with pytest.raises(ChatUnavailable):
        await outbox.show(delivery.id, Waiting())
    assert chat.messages == {}
    assert await outbox.show(delivery.id, Waiting())
    assert len(chat.messages) == 1
    assert chat.looked == [delivery.id]


async def test_a_withdrawn_link_is_not_answered(
    outbox: Outbox, chat: FakeChat, delivery: Delivery, deliveries: FakeDeliveries
) -> None:
    await deliveries.withdraw(PLACE, "1.0")
    assert not await outbox.show(delivery.id, READY)
    assert chat.messages == {}


async def test_a_link_withdrawn_while_it_is_answered_leaves_nothing_behind(
    outbox: Outbox, chat: FakeChat, delivery: Delivery, deliveries: FakeDeliveries
) -> None:
    replied = deliveries.replied

    async def deleted_just_now(delivery_id: str, reply: str) -> None:
        await replied(delivery_id, reply)
        await deliveries.withdraw(PLACE, "1.0")

    deliveries.replied = deleted_just_now  # type: ignore[method-assign]
    assert not await outbox.show(delivery.id, READY)
    assert chat.messages == {}
    assert len(chat.removed) == 1


async def test_taking_back_removes_also_what_was_never_heard_of(
    outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    chat.faults.append(Lost(ChatUnavailable("slack")))
    with pytest.raises(ChatUnavailable):
        await outbox.show(delivery.id, Waiting())
    await outbox.take_back(delivery.id)
    assert chat.messages == {}


async def test_taking_back_what_was_never_said_is_fine(
    outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    await outbox.take_back(delivery.id)
    await outbox.take_back("0" * 32)
    assert (chat.messages, chat.removed) == ({}, {})


@pytest.mark.parametrize("error", [ChatRefused("slack", "archived"), MessageGone("slack")])
async def test_what_a_chat_will_never_take_is_for_the_caller_to_know(
    error: ChatFailed, outbox: Outbox, chat: FakeChat, delivery: Delivery
) -> None:
    chat.faults.append(error)
    with pytest.raises(type(error)):
        await outbox.show(delivery.id, Trouble(NotFound("x")))


async def test_a_platform_this_process_does_not_speak_with_is_refused(
    deliveries: FakeDeliveries, delivery: Delivery
) -> None:
    with pytest.raises(ChatFailed, match="slack"):
        await Outbox(deliveries, {}, me="here").show(delivery.id, READY)


async def test_of_two_processes_that_believe_it_is_theirs_one_speaks(
    deliveries: FakeDeliveries, chat: FakeChat, delivery: Delivery
) -> None:
    slow, heir = (Outbox(deliveries, {"slack": chat}, me=name) for name in ("slow", "heir"))
    turn = asyncio.Event()
    post = chat.post

    async def waits_for_its_turn(shared: SharedLink, shown: Shown, **how: Any) -> str:
        await turn.wait()
        return await post(shared, shown, **how)

    chat.post = waits_for_its_turn  # type: ignore[method-assign]
    speaking = asyncio.create_task(slow.show(delivery.id, Waiting()))
    await asyncio.sleep(0)
    chat.post = post  # type: ignore[method-assign]
    assert await heir.show(delivery.id, Waiting())
    turn.set()
    with pytest.raises(ChatUnavailable, match="another process"):
        await speaking
    assert len(chat.messages) == 1
    assert await slow.show(delivery.id, READY), "it edits what the other one said"
    assert len(chat.messages) == 1


async def test_what_another_process_may_just_be_sending_is_waited_for(
    deliveries: FakeDeliveries, chat: FakeChat, delivery: Delivery
) -> None:
    later = timedelta(0)
    heir = Outbox(deliveries, {"slack": chat}, me="heir", now=lambda: datetime.now(UTC) + later)
    dead = Outbox(deliveries, {"slack": chat}, me="dead")
    chat.faults.append(ChatUnavailable("slack", "killed before it was sent"))
    with pytest.raises(ChatUnavailable):
        await dead.show(delivery.id, Waiting())
    with pytest.raises(ChatUnavailable) as caught:
        await heir.show(delivery.id, Waiting())
    assert 0 < (caught.value.retry_after or 0) <= SETTLED.total_seconds()
    assert chat.looked == [], "it may arrive yet"
    later = SETTLED
    assert await heir.show(delivery.id, Waiting())
    assert chat.looked == [delivery.id]
    assert len(chat.messages) == 1
