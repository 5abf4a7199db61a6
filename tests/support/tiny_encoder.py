"""A real BERT of a few KB with random weights, to compare our encoder with transformers' own."""

from __future__ import annotations

import atexit
import copy
import functools
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.chat import ModelCard
from core.ports import Vectors

_WORDS = "the a scheduler places pods on nodes . cats sleep most of day long queue".split()


@dataclass(frozen=True, slots=True)
class TinyEncoder:
    """`folder`: as we serve it; `source`: the same in transformers' form, to train from."""

    folder: Path
    source: Path
    model: Any
    tokenizer: Any

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Mean pooling as the model's authors describe it, by transformers."""
        import torch

        read = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=256, return_tensors="pt"
        )
        with torch.no_grad():
            states = self.model(**read).last_hidden_state
        mask = read["attention_mask"][..., None]
        mean = (states * mask).sum(1) / mask.sum(1)
        return np.asarray(torch.nn.functional.normalize(mean).numpy(), dtype=np.float32)


@functools.cache
def tiny_encoder() -> TinyEncoder:
    """The one of this test run."""
    import torch
    from transformers import BertConfig, BertModel

    from core.engine.converting import convert

    place = tempfile.mkdtemp(prefix="tiny-encoder-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    folder = Path(place) / "tiny"
    tokenizer = _tokenizer()
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=256,
        position_embedding_type="absolute",  # the converter asks for it
        initializer_range=0.3,  # random words shall lie far apart
    )
    model = BertModel(config).eval()
    convert(copy.deepcopy(model), tokenizer, folder)
    ModelCard(name="tiny-bert", context_tokens=256, languages=("en",)).save(folder)
    source = Path(place) / "source"
    model.save_pretrained(source)
    tokenizer.save_pretrained(source)
    return TinyEncoder(folder, source, model, tokenizer)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = [*_WORDS, *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces])
    ids = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
