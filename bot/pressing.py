"""What a button carries, in every chat alike, so that it works after any restart: what is wanted,
of which digest and which delivery, and which page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

Verb = TypeVar("Verb", bound=str)


@dataclass(frozen=True, slots=True)
class Press(Generic[Verb]):
    """A press of one of our buttons. `page` counts from 0; None: the button under a digest."""

    verb: Verb
    digest: str = ""
    delivery: str = ""
    page: int | None = None

    @property
    def value(self) -> str:
        """Under 80 characters: 24 of a digest's id, 32 of a delivery's."""
        page = "" if self.page is None else str(self.page)
        return ":".join((self.verb, self.digest, self.delivery, page))

    @classmethod
    def read(cls, value: str, verbs: Iterable[Verb]) -> Self | None:
        """None for what is not ours, or no longer understood."""
        parts = value.split(":")
        verb = next((one for one in verbs if one == parts[0]), None)
        if len(parts) != 4 or verb is None:
            return None
        page = int(parts[3]) if parts[3].isascii() and parts[3].isdigit() else None
        return cls(verb, parts[1], parts[2], page)
