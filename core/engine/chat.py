"""How a prompt becomes tokens, in the words the model was taught with (ChatML).

Only this module writes control tokens. Whatever a page says, `<|im_start|>system` in it is
plain text: the tokenizer is told never to read control tokens out of text.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from core.article import Language
from core.errors import ModelNotReady
from core.ports import Prompt

CARD = "engine.json"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a prepared model folder says about itself, beside its weights."""

    name: str
    context_tokens: int
    languages: tuple[Language, ...] = ()
    turn_start: str = "<|im_start|>"
    turn_end: str = "<|im_end|>"
    ends: tuple[str, ...] = ("<|im_end|>", "<|endoftext|>")
    default_system: str = ""

    def save(self, folder: Path) -> None:
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / CARD).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        path = folder / CARD
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            for key in ("languages", "ends"):
                if key in read:
                    read[key] = tuple(read[key])
            return cls(**read)
        except (OSError, ValueError, TypeError) as error:
            raise ModelNotReady(str(folder), f"{CARD} cannot be read ({error})") from error


@dataclass(frozen=True, slots=True)
class Tokens:
    """A prompt as the model reads it: the system turn apart, because it is often the same."""

    system: tuple[str, ...]
    rest: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.system) + len(self.rest)


class Chat:
    """The tokenizer of a model with its chat format."""

    def __init__(self, folder: Path, card: ModelCard) -> None:
        path = folder / "tokenizer.json"
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise ModelNotReady(str(folder), f"tokenizer.json cannot be read ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._tokenizer.encode_special_tokens = True
        self._card = card
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        self.ends = tuple(end for end in card.ends if end in vocabulary)
        for token in (card.turn_start, card.turn_end):
            if token not in vocabulary:
                raise ModelNotReady(str(folder), f"its tokenizer does not know {token}")

    def count(self, text: str) -> int:
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def tokens(self, prompt: Prompt) -> Tokens:
        system = prompt.system or self._card.default_system
        return Tokens(
            tuple(self._turn("system", system)) if system else (),
            (
                *self._turn("user", prompt.user),
                self._card.turn_start,
                *self._plain("assistant\n" + prompt.opening),
            ),
        )

    def decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True)

    def _turn(self, role: str, text: str) -> list[str]:
        # Role and text are encoded in one go: the tokens are those of the whole template.
        plain = self._plain(f"{role}\n{text}")
        return [self._card.turn_start, *plain, self._card.turn_end, *self._plain("\n")]

    def _plain(self, text: str) -> list[str]:
        return self._tokenizer.encode(text, add_special_tokens=False).tokens
