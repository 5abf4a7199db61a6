"""What `doctor` finds: well, worth a note, or bad; said in either language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot import replies
from bot.words import Both
from core.article import Language

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """`key` is that of a sentence in replies, `words` is one of a platform's own; a `text` as it
    is where there is neither."""

    state: State
    name: str
    key: str = ""
    values: tuple[tuple[str, object], ...] = ()
    text: str = ""
    words: Both | None = None

    def said(self, ui: Language) -> str:
        if self.words is not None:
            return replies.pick(self.words, ui).format(**dict(self.values))
        if not self.key:
            return self.text
        return replies.say(f"doctor.{self.key}", ui, **dict(self.values))


def found(state: State, name: str, key: str, /, **values: object) -> Finding:
    return Finding(state, name, key, tuple(values.items()))


def told(state: State, name: str, words: Both, /, **values: object) -> Finding:
    return Finding(state, name, "", tuple(values.items()), words=words)
