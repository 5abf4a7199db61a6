"""The index is brought up to date when something is new, and trouble does not end that."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.librarian import Librarian
from core.errors import StorageUnavailable


class Index:
    """`missing` digests; each look takes one in. `trouble` is raised once."""

    def __init__(self, missing: int = 0, trouble: Exception | None = None) -> None:
        self.missing = missing
        self.trouble = trouble
        self.done = asyncio.Event()
        self.refreshed = 0

    async def catch_up(self) -> int:
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble
        if self.missing:
            self.missing -= 1
            return 1
        self.done.set()
        return 0

    async def refresh(self) -> None:
        self.refreshed += 1


async def test_what_is_missing_at_the_start_is_put_in() -> None:
    index = Index(missing=3)
    async with Librarian(index.catch_up, index.refresh, asyncio.Event()).at_work():
        await asyncio.wait_for(index.done.wait(), 10)
    assert index.missing == 0
    assert index.refreshed == 0


async def test_a_new_digest_wakes_it() -> None:
    index, added = Index(), asyncio.Event()
    async with Librarian(index.catch_up, index.refresh, added).at_work():
        await asyncio.wait_for(index.done.wait(), 10)
        index.done.clear()
        index.missing = 2
        added.set()
        await asyncio.wait_for(index.done.wait(), 10)
    assert index.missing == 0


@pytest.mark.parametrize(
    "trouble", [StorageUnavailable("database", "away"), RuntimeError("a surprise")]
)
async def test_trouble_is_told_and_the_next_look_goes_on(
    trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    index = Index(missing=2, trouble=trouble)
    librarian = Librarian(index.catch_up, index.refresh, asyncio.Event(), pause=0.01)
    with caplog.at_level(logging.WARNING):
        async with librarian.at_work():
            await asyncio.wait_for(index.done.wait(), 10)
    assert index.missing == 0
    assert "index could not be brought up to date" in caplog.text


async def test_a_warm_one_makes_it_ready_for_the_first_question() -> None:
    index = Index()
    ready = asyncio.Event()

    async def refresh() -> None:
        ready.set()

    async with Librarian(index.catch_up, refresh, asyncio.Event(), warm=True).at_work():
        await asyncio.wait_for(ready.wait(), 10)
