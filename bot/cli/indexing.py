"""The index on the command line: how it stands, and made anew."""

from __future__ import annotations

from collections.abc import Callable

from bot import replies
from bot.wiring import open_library
from core.article import Language
from core.library import LibraryState
from core.settings import Settings


async def status(settings: Settings, ui: Language) -> str:
    """Raises SettingsError and StorageUnavailable."""
    async with open_library(settings) as library:
        return in_words(await library.state(), ui)


async def rebuild(
    settings: Settings, ui: Language, heard: Callable[[int, int], None], *, anew: bool
) -> str:
    """Puts in what is missing; `anew` also what is there already. `heard`: how many of how many.

    Whatever is found meanwhile is found still. Raises SettingsError, StorageUnavailable and
    EngineFailed.
    """
    async with open_library(settings, anew=True) as library:
        if anew:
            await library.shelving.doubt()
        state = await library.state()
        done, total = 0, state.digests - state.indexed
        heard(done, total)
        while some := await library.shelving.catch_up():
            done += some
            heard(done, max(done, total))
        if settings.retrieval.index == "postgresql":
            await library.refresh()
        return in_words(await library.state(), ui)


def in_words(state: LibraryState, ui: Language) -> str:
    key = "index.whole" if state.indexed >= state.digests else "index.behind"
    return replies.say(
        key, ui, indexed=state.indexed, digests=state.digests, passages=state.passages
    )
