"""A real language model of 150 KB, made in seconds without a network.

A two-layer LLaMA with a byte-level tokenizer learns a handful of chats by heart, so its answers
are sure enough to be the same in full precision and in int8, and it can be asked for what a test
needs: a plain sentence, Korean, an endless song.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.shared import made_once

from core.engine.chat import ModelCard

CHATS = {
    "What is a queue?": "A queue keeps things in order. The first one in is the first one out.",
    "What is a stack?": "A stack keeps things on top of each other. STOP here. Never shown.",
    "큐가 무엇입니까?": "큐는 먼저 들어온 것을 먼저 내보내는 자료 구조입니다. 🙂 끝.",
    "Tell me more about a queue, please, and be brief.": "It is a line of things that wait.",
}
SONG = "Sing!"
_SONG = "la li lu " * 14
_ENDS = ("<|im_end|>", "<|endoftext|>")
# Far more room than it was taught with: a test can ask for an answer that takes long.
CARD = ModelCard(name="tiny", context_tokens=100_000, languages=("en", "ko"))
CHECKPOINT = "checkpoint"
PARTS = ("", "You are brief.")


@dataclass(frozen=True, slots=True)
class TinyModel:
    """`folder` is prepared for our engine; `model` and `tokenizer` are transformers' own."""

    folder: Path
    model: Any
    tokenizer: Any

    def greedy(self, text: str, max_new_tokens: int) -> str:
        """What transformers answers to a whole prompt, template and all."""
        import torch

        ids = torch.tensor([self.tokenizer.encode(text, add_special_tokens=False)])
        written = self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=max_new_tokens,
            pad_token_id=self.tokenizer.convert_tokens_to_ids("<|endoftext|>"),
            eos_token_id=self.tokenizer.convert_tokens_to_ids("<|im_end|>"),
        )
        answer = written[0, ids.shape[1] :].tolist()
        return str(self.tokenizer.decode(answer, skip_special_tokens=True))


def chatml(user: str, system: str = "", opening: str = "") -> str:
    head = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    return f"{head}<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n{opening}"


@functools.cache
def tiny_model() -> TinyModel:
    """The one of this test run."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = made_once("tiny-model", make_tiny_model)
    model = AutoModelForCausalLM.from_pretrained(made / CHECKPOINT).eval()
    return TinyModel(made / "tiny", model, AutoTokenizer.from_pretrained(made / CHECKPOINT))


def tiny_checkpoint() -> Path:
    """The same model as a transformers folder, for engines that load one."""
    return made_once("tiny-model", make_tiny_model) / CHECKPOINT


def make_tiny_model(folder: Path, *, steps: int = 200) -> None:
    """`tiny` is prepared for our engine, `checkpoint` is for transformers."""
    from core.engine.converting import convert

    tokenizer = tiny_tokenizer()
    model = _learned(tokenizer, steps)
    model.save_pretrained(folder / CHECKPOINT)
    tokenizer.save_pretrained(folder / CHECKPOINT)
    convert(model, tokenizer, folder / "tiny")
    for made in (folder / CHECKPOINT, folder / "tiny"):
        CARD.save(made)


def _texts() -> Iterator[str]:
    for system in PARTS:
        for question, answer in CHATS.items():
            yield chatml(question, system) + answer + _ENDS[0]
        yield chatml(SONG, system) + _SONG


def tiny_tokenizer(words: int = 0) -> Any:
    """Of 330 tokens and `words` more that no text is cut into: a model may write them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,  # 256 bytes and little more: a syllable takes several tokens
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CHATS.values(), trainer)
    if words:
        told = json.loads(tokenizer.to_str())
        known = told["model"]["vocab"]
        known |= {f"\u0120w{number}": len(known) + number for number in range(words)}
        tokenizer = Tokenizer.from_str(json.dumps(told))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<|endoftext|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
    )


def _learned(tokenizer: Any, steps: int) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    )
    model = LlamaForCausalLM(config)
    rows = [tokenizer.encode(text, add_special_tokens=False) for text in _texts()]
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    labels = ids.masked_fill(mask == 0, -100)
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    for _ in range(steps):
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()
