"""What robots.txt says, asked once an hour and site.

A reader asked for one page, so a site that cannot be asked, or whose robots.txt is broken, is
read all the same; a rule that is there is kept.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from protego import Protego

KEPT_SECONDS = 3600.0
KEPT_SITES = 512


class Robots:
    def __init__(
        self,
        user_agent: str,
        read: Callable[[str], Awaitable[str | None]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # rules name the product, not its version or comment
        self._agent = user_agent.split("/")[0].split(" ")[0]
        self._read = read
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Protego | None]] = OrderedDict()

    async def allow(self, url: str) -> bool:
        rules = await self._rules(url)
        return rules is None or bool(rules.can_fetch(url, self._agent))

    async def _rules(self, url: str) -> Protego | None:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc}"
        known = self._known.get(site)
        if known is not None and self._clock() - known[0] < KEPT_SECONDS:
            return known[1]
        text = await self._read(f"{site}/robots.txt")
        rules = None if text is None else Protego.parse(text)
        self._known[site] = (self._clock(), rules)
        self._known.move_to_end(site)
        while len(self._known) > KEPT_SITES:
            self._known.popitem(last=False)
        return rules
