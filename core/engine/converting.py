"""The published weights become CTranslate2 folders. Runs in the preparing process only.

torch and transformers are heavy (1.5 GB, seconds to import): the service never imports this
module.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ctranslate2

from core.engine.chat import ModelCard
from core.engine.gguf_file import load_generator
from core.engine.merging import merged
from core.engine.prepared import QUANTIZATION
from core.engine.rotating import rotate
from core.engine.weights import ENCODER, GENERATOR


def convert_generator(unpacked: Path, target: Path, adapter: Path | None) -> None:
    """The GGUF's weights in full precision, the adapter merged, converted to int8."""
    model, tokenizer = load_generator(unpacked / GENERATOR.wanted[0])
    if adapter is not None:
        model = merged(model, adapter)
    convert(model, tokenizer, target)
    ModelCard(
        name="SmolLM2-135M-Instruct" + ("" if adapter is None else "+adapter"),
        context_tokens=model.config.max_position_embeddings,
        languages=("en",),
        # What the model's own template says where no system text is given.
        default_system=("You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
    ).save(target)


def convert_encoder(unpacked: Path, target: Path) -> None:
    source = unpacked / ENCODER.wanted[0]
    converter = ctranslate2.converters.TransformersConverter(str(source))
    converter.convert(str(target), quantization=QUANTIZATION)
    shutil.copyfile(source / "tokenizer.json", target / "tokenizer.json")
    ModelCard(name="all-MiniLM-L6-v2", context_tokens=256, languages=("en",)).save(target)


def convert(model: Any, tokenizer: Any, target: Path, *, turned: bool = True) -> None:
    """A transformers model that is in memory, with its tokenizer, into a CTranslate2 folder.
    `turned`: its states are turned first, and it answers as before (`rotating.py`). Afterwards the
    model in memory is of no more use."""
    if turned:
        rotate(model)
    with tempfile.TemporaryDirectory(dir=target.parent) as described:
        model.config.save_pretrained(described)
        tokenizer.save_pretrained(described)
        with _nothing_collected():
            _InMemory(model, described).convert(str(target), quantization=QUANTIZATION)
    tokenizer.backend_tokenizer.save(str(target / "tokenizer.json"))


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """The converter collects after each layer, which means all that torch and transformers are
    made of: half a second each time. What is there before is left out of that."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _InMemory(ctranslate2.converters.TransformersConverter):  # type: ignore[misc]
    """The converter loads weights by name; ours are given: 540 MB less to write and to read."""

    def __init__(self, model: Any, described: str) -> None:
        super().__init__(described)
        self._given = model

    def load_model(self, *_: Any, **__: Any) -> Any:
        return self._given
