"""Domain terms and code words as tokens of their own, kept only if it pays (blueprint B6).

    python -m training tokenizer --config config/training/embedded.yaml

Mines words that many documents use and the tokenizer cuts into many pieces, adds them, starts
each new row of the embeddings as the mean of its pieces, and compares on held-out text: tokens a
document, and bits a character (a loss that does not depend on how the text is cut). Writes the
model and tokenizer to <runs>/tokenizer and says in its manifest whether to keep it.
"""

from __future__ import annotations

import argparse
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from training.config import Tokenizing, TrainingConfig, read
from training.sets.corpus import texts

log = logging.getLogger("training.model.tokenizer")

_WORD = re.compile(r"[A-Za-z_][A-Za-z_]{3,30}|[가-힣]{2,12}")
_CODE_WORDS = (
    "def class import return lambda yield async await struct enum interface extends implements "
    "const static void func defer goroutine chan impl trait match namespace template typename"
).split()
# Held-out documents and tokens of each that are compared.
_DOCUMENTS = 24
_TOKENS = 384


def mine(documents: Iterable[str], tokenizer: Any, wanted: Tokenizing) -> list[str]:
    """New tokens, with the blank before them as they mostly stand, dearest first: pieces saved
    over all documents."""
    counts: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for text in documents:
        words = _WORD.findall(text)
        counts.update(words)
        held.update(set(words))
    known = set(tokenizer.get_vocab())
    saved: dict[str, int] = {}
    for word in {*held, *_CODE_WORDS}:
        if held[word] < wanted.documents:
            continue
        pieces = tokenizer.tokenize(f" {word}")
        if len(pieces) >= wanted.pieces and word not in known:
            saved[word] = (len(pieces) - 1) * counts[word]
    return sorted(saved, key=lambda word: (-saved[word], word))[: wanted.most]


def extend(model: Any, tokenizer: Any, words: Sequence[str]) -> int:
    """Adds them, each embedding the mean of its former pieces; returns how many are new."""
    import torch
    from tokenizers import AddedToken

    pieces = {f" {word}": tokenizer.encode(f" {word}", add_special_tokens=False) for word in words}
    # The blank belongs to the token, as in byte-level vocabularies.
    added = tokenizer.add_tokens(
        [AddedToken(text, normalized=False, single_word=False) for text in pieces]
    )
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is None:
                continue
            for text, ids in pieces.items():
                row = tokenizer.convert_tokens_to_ids(text)
                layer.weight[row] = layer.weight[ids].mean(dim=0)
    return int(added)


def bits(model: Any, tokenizer: Any, documents: Sequence[str]) -> tuple[float, float]:
    """Bits a character and tokens a thousand characters, over the documents' beginnings."""
    import torch

    nats = characters = tokens = 0.0
    model.eval()
    with torch.no_grad():
        for text in documents:
            ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
            ids = ids[:_TOKENS]
            if len(ids) < 2:
                continue
            row = torch.tensor([ids], device=model.device)
            loss = model(input_ids=row, labels=row).loss
            nats += float(loss) * (len(ids) - 1)
            characters += len(tokenizer.decode(ids))
            tokens += len(ids)
    if not characters:
        raise SettingsError(["there is no held-out text to compare on"])
    return nats / math.log(2) / characters, tokens / characters * 1000


def run(config: TrainingConfig) -> dict[str, Any]:
    """The figures, which also stand in the manifest."""
    from core.engine.checkpoints import chosen_device
    from training.model.bases import open_base, plain_folder
    from training.tracking import manifest, write_manifest

    wanted = config.tokenizer
    names = wanted.data if wanted and wanted.data else config.m1.data if config.m1 else ()
    if wanted is None or not names:
        raise SettingsError(["the configuration has no part tokenizer with data"])
    model, template = open_base(plain_folder(config))
    model.to(chosen_device("auto"))
    tokenizer = template.tokenizer
    held = [text[:4000] for text in texts(config.data, names, held=True)][:_DOCUMENTS]
    bits_before, tokens_before = bits(model, tokenizer, held)
    words = mine(texts(config.data, names, held=False), tokenizer, wanted)
    added = extend(model, tokenizer, words)
    bits_after, tokens_after = bits(model, tokenizer, held)
    figures = {
        "added": added,
        "first": words[:20],
        "bits_per_character_before": round(bits_before, 4),
        "bits_per_character": round(bits_after, 4),
        "tokens_per_1000_characters_before": round(tokens_before, 1),
        "tokens_per_1000_characters": round(tokens_after, 1),
        "pays": bits_after <= bits_before,
    }
    out = config.runs / "tokenizer"
    out.mkdir(parents=True, exist_ok=True)
    if figures["pays"] or wanted.keep:
        model.save_pretrained(str(out))
        tokenizer.save_pretrained(str(out))
        template.card.save(out)
    made = manifest("tokenizer", config.model_dump(mode="json"), [], {}, figures, base=config.base)
    write_manifest(out, made)
    return figures


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training tokenizer", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/embedded.yaml"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    figures = run(read(asked.config, TrainingConfig))
    for name, value in figures.items():
        log.info("%-34s %s", name, value)
    if not figures["pays"]:
        log.info("it does not pay before more training")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
