"""How far we have read: the last message seen in each channel, and when we last were there.

Discord replays nothing of the time between an invalid session and the next one, nor of the time
in which the process was away. A mark is a snowflake: message ids grow with time.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from discord.utils import time_snowflake

log = logging.getLogger(__name__)
LONGEST = timedelta(hours=1)  # an older link is old news
_REMEMBERED = 20_000


class Marks:
    """`was_there`: before that nothing is missing; None: nobody remembers when that was.

    Shards lose their sessions independently of each other, so each has a gap of its own.
    """

    def __init__(self, was_there: datetime | None) -> None:
        self._was_there = was_there
        self._last: dict[int, int] = {}
        self._before: dict[int, dict[int, int]] = {}  # by shard: the marks when its gap ended
        self._caught_up: dict[int, datetime] = {}

    def saw(self, channel: int, message: int) -> None:
        if len(self._last) >= _REMEMBERED:
            del self._last[next(iter(self._last))]
        self._last[channel] = max(message, self._last.pop(channel, 0))  # the newest is last

    def session_begins(self, shard: int) -> None:
        """What comes from now on says nothing of what was missed before."""
        self._before[shard] = dict(self._last)

    def since(
        self, shard: int, channel: int, now: datetime, last_answer: datetime | None
    ) -> int | None:
        """From which message on a channel has to be read again; None: not at all.

        `last_answer` there stands in where nobody remembers when we were there last.
        """
        earliest = time_snowflake(now - LONGEST)
        known = self._before.get(shard, {}).get(channel)
        there = self._caught_up.get(shard) or self._was_there or last_answer
        if known is None and there is not None:
            known = time_snowflake(there)
        return None if known is None else max(known, earliest)

    def caught_up(self, shard: int, at: datetime) -> None:
        self._caught_up[shard] = at


class Diary:
    """A small file of the data folder: when we were last there, and which commands were synced.

    Without a folder nothing is remembered beyond the process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / "discord.json"

    def read(self) -> dict[str, str]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            log.warning("%s cannot be read and is begun anew", self._path)
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def write(self, **changes: str) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            beside = self._path.with_suffix(".new")
            beside.write_text(json.dumps(self.read() | changes), encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error)

    def alive_at(self) -> datetime | None:
        try:
            return datetime.fromisoformat(self.read()["alive"]).astimezone(UTC)
        except (KeyError, ValueError):
            return None
