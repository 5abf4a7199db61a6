"""Erasing on demand: shown, agreed to, done, told."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot import replies
from bot.cli.speaking import complain
from bot.wiring import open_erasing
from core.article import Language
from core.places import Scope
from core.settings import Settings


async def erase_with_consent(
    settings: Settings,
    scope: Scope,
    agreed: Callable[[], bool],
    say: Callable[[str], None],
    ui: Language,
) -> bool:
    """Whether it was erased. False: there was nothing, or the person thought better of it.

    Raises SettingsError and StorageUnavailable.
    """
    where = scope_in_words(scope)
    async with open_erasing(settings) as erasing:
        found = await erasing.look(scope)
        if not found.rows:
            complain(replies.say("erase.nothing", ui, where=where))
            return False
        say(counts(replies.say("erase.found", ui, where=where), found.rows))
        if not agreed():
            complain(replies.say("erase.left", ui))
            return False
        erased = await erasing.erase(scope)
    say(counts(replies.say("erase.done", ui, where=where), erased.rows))
    return True


def scope_in_words(scope: Scope) -> str:
    parts = (scope.platform, scope.workspace, scope.channel or scope.user)
    return replies.plain(" / ".join(part for part in parts if part))


def counts(heading: str, rows: Mapping[str, int]) -> str:
    return "\n".join([heading, *(f"  {name}: {count}" for name, count in rows.items())])
