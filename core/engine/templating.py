"""How a prompt becomes tokens for any checkpoint: in the words of its own chat template.

A tokenizer without a template is asked in ChatML, by the very code that asks the embedded model
(core.engine.chat). Whatever a page says, it never becomes a control token: those that stand in
a text are broken up before the template sees them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.engine.chat import CARD, Chat, ModelCard
from core.ports import Prompt

_KEPT_PREFIXES = 64
_ENDS = ("<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<end_of_turn>", "</s>")


class Template:
    """A tokenizer of transformers with its chat format; also what core.engine.writing needs."""

    def __init__(self, tokenizer: Any, card: ModelCard, folder: Path) -> None:
        self.tokenizer = tokenizer
        self.card = card
        self._chat = None if tokenizer.chat_template else Chat(folder, card)
        special = {str(token) for token in tokenizer.added_tokens_decoder.values()}
        special |= set(tokenizer.all_special_tokens)
        self._control = re.compile("|".join(map(re.escape, sorted(special, key=len)[::-1])) or "$^")
        self._counts = _for_counting(tokenizer)
        self._known_prefix = lru_cache(_KEPT_PREFIXES)(self._prefix)

    @cached_property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        known = self.tokenizer.get_vocab()
        names = {*self.card.ends, *_ENDS, self.tokenizer.eos_token}
        return frozenset(known[name] for name in names if name in known)

    def count(self, text: str) -> int:
        if self._counts is not None:
            return len(self._counts.encode(text, add_special_tokens=False))
        return len(self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))

    def ids(self, prompt: Prompt) -> list[int]:
        if self._chat is not None:
            tokens = self._chat.tokens(prompt)
            return list(self.tokenizer.convert_tokens_to_ids([*tokens.system, *tokens.rest]))
        text = self._rendered(prompt)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def prefix(self, system: str) -> tuple[int, ...]:
        """The tokens with which every prompt with this system text begins."""
        return self._known_prefix(system)

    def _prefix(self, system: str) -> tuple[int, ...]:
        one, other = (self.ids(Prompt(text, system)) for text in ("Q", "7 글"))
        return tuple(one[: _shared(one, other)])

    def decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))

    def _rendered(self, prompt: Prompt) -> str:
        user, system = self._plain(prompt.user), self._plain(prompt.system)
        turns = [{"role": "user", "content": user}]
        if system:
            turns.insert(0, {"role": "system", "content": system})
        try:
            text = self._applied(turns)
        except Exception:
            # Some models know no system turn and say so in their template.
            if not system:
                raise
            text = self._applied([{"role": "user", "content": f"{system}\n\n{user}"}])
        return text + self._plain(prompt.opening)

    def _applied(self, turns: list[dict[str, str]]) -> str:
        # Qwen 3 and its kin think aloud unless told not to; other templates ignore the word.
        return str(
            self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
        )

    def _plain(self, text: str) -> str:
        return self._control.sub(lambda found: found[0][0] + " " + found[0][1:], text)


def _for_counting(tokenizer: Any) -> Tokenizer | None:
    """A tokenizer of its own that reads no control tokens out of a text.

    Transformers asks for that by changing a switch of the tokenizer for everybody: a prompt that
    another thread encodes meanwhile would lose its control tokens (3 in 100 did, when counted).
    """
    known = getattr(tokenizer, "backend_tokenizer", None)
    if known is None:
        return None
    counting: Tokenizer = Tokenizer.from_str(known.to_str())
    counting.no_padding()
    counting.no_truncation()
    counting.encode_special_tokens = True
    return counting


def _shared(one: list[int], other: list[int]) -> int:
    """How many tokens at the beginning are the same."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def card_of(folder: Path, config: Any, name: str) -> ModelCard:
    """What the folder says about itself, else what its configuration says."""
    if (folder / CARD).is_file():
        return ModelCard.load(folder)
    tokens = getattr(config, "max_position_embeddings", None) or 4096
    return ModelCard(name=name, context_tokens=int(tokens), languages=("en", "ko"))


def within(card: ModelCard, context_tokens: int) -> ModelCard:
    """The card with at most this context; 0: as it is."""
    if not context_tokens:
        return card
    return replace(card, context_tokens=min(context_tokens, card.context_tokens))
