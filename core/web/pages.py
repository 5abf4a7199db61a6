"""Pages between their fetching and their reading: files that are passed on, never held.

A page is written as it arrives and read once, by the extractor. On another machine, or after
the folder was emptied, it is simply not there: then it is fetched again.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.article import Page
from core.ports import Web


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page whose body lies in the file `name`, `size` bytes long."""

    name: str
    url: str
    content_type: str
    charset: str | None
    etag: str | None
    last_modified: str | None
    size: int

    def as_plain(self) -> dict[str, Any]:
        """JSON values, for a workflow to remember."""
        return asdict(self)


class KeptPages:
    def __init__(self, folder: Path, web: Web) -> None:
        self._folder = folder
        self._web = web

    async def fetch(self, link: str) -> KeptPage:
        """Raises BadLink and FetchFailed with its kin, as `Web.save` does."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = secrets.token_hex(16)
        try:
            with (self._folder / name).open("xb+") as body:
                page = await self._web.save(link, body)
                size = body.seek(0, os.SEEK_END)
        except BaseException:
            with suppress(OSError):
                (self._folder / name).unlink()
            raise
        return KeptPage(
            name=name,
            url=page.url,
            content_type=page.content_type,
            charset=page.charset,
            etag=page.etag,
            last_modified=page.last_modified,
            size=size,
        )

    def read(self, kept: KeptPage) -> Page | None:
        """The page with its body; None where it is not on this machine any more."""
        try:
            body = (self._folder / kept.name).read_bytes()
        except FileNotFoundError:
            return None
        return Page(
            url=kept.url,
            body=body,
            content_type=kept.content_type,
            charset=kept.charset,
            etag=kept.etag,
            last_modified=kept.last_modified,
        )

    def drop(self, kept: KeptPage) -> None:
        with suppress(OSError):
            (self._folder / kept.name).unlink()

    def clear(self, older_than: float) -> int:
        """Removes what lies longer than so many seconds (a process died in between)."""
        before = time.time() - older_than
        gone = 0
        for file in self._folder.glob("*"):
            with suppress(OSError):
                if file.stat().st_mtime < before:
                    file.unlink()
                    gone += 1
        return gone
