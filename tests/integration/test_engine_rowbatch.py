"""The continuous batch in the test's own hand: what it holds is never more than its budget."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from support.tiny_model import tiny_checkpoint

from core.engine.checkpoints import Checkpoint, load_checkpoint
from core.engine.rowbatch import Row, RowBatch
from core.engine.rowcache import bytes_per_token
from core.engine.writing import Writer
from core.ports import Generation, Prompt


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(), device="cpu")


def a_batch(checkpoint: Checkpoint, tokens: int, rows: int = 8) -> RowBatch:
    size = bytes_per_token(checkpoint.model.config, checkpoint.model.dtype.itemsize)
    return RowBatch(checkpoint.model, checkpoint.template.ends, max_rows=rows, budget=tokens * size)


def a_row(checkpoint: Checkpoint, words: int, new_tokens: int, system: str = "") -> Row:
    template = checkpoint.template
    ids = template.ids(Prompt("queue " * words, system))
    options = Generation(max_new_tokens=new_tokens)
    return Row(ids, template.prefix(system), options, Writer(template), None)


def held(batch: RowBatch) -> int:
    """Tokens for which there is memory."""
    prefixes = sum(one.length for one in batch._prefixes.values())
    return batch._cache.rows * batch._cache.width + prefixes


async def run_to_the_end(batch: RowBatch, rows: Sequence[Row]) -> None:
    import torch

    line = list(rows)
    with torch.inference_mode():
        while line or batch.rows:
            while line and batch.fits(line[0]):
                batch.join(line.pop(0))
                assert held(batch) <= batch.capacity
            batch.step()
            assert held(batch) <= batch.capacity


async def test_narrow_rows_after_a_wide_one_stay_within_the_budget(checkpoint: Checkpoint) -> None:
    import torch

    batch = a_batch(checkpoint, 2048)
    wide = a_row(checkpoint, 1, 900)
    narrow = [a_row(checkpoint, 1, 20) for _ in range(6)]
    with torch.inference_mode():
        batch.join(wide)
        batch.join(narrow[0])
        batch.step()
        wide.abandoned = True
        batch.step()
        assert batch.rows == narrow[:1]
    await run_to_the_end(batch, narrow[1:])
    assert [await row.answer() for row in narrow] == [await narrow[0].answer()] * 6


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_comes_and_goes_the_budget_holds(checkpoint: Checkpoint, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same rows every time
    rows = [
        a_row(
            checkpoint,
            chance.randrange(1, 60),
            chance.choice([2, 20, 200]),
            chance.choice(["", "Be brief. " * 9, "Be long. " * 20]),
        )
        for _ in range(24)
    ]
    alone = a_batch(checkpoint, 4096)
    batch = a_batch(checkpoint, chance.choice([640, 1024, 2048]))
    await run_to_the_end(batch, rows)
    chosen = rows[seed]
    again = a_row(checkpoint, 1, 1)
    again.ids = chosen.ids[: chosen.prompt_tokens]
    again.prompt_tokens, again.options = chosen.prompt_tokens, chosen.options
    await run_to_the_end(alone, [again])
    assert await again.answer() == await chosen.answer()


async def test_a_beginning_is_kept_only_where_there_is_room_for_it(checkpoint: Checkpoint) -> None:
    row = a_row(checkpoint, 1, 20, "Be brief. " * 9)
    roomy, tight = a_batch(checkpoint, 4096), a_batch(checkpoint, -(-row.needs // 64) * 64)
    for batch in (roomy, tight):
        await run_to_the_end(batch, [a_row(checkpoint, 1, 20, "Be brief. " * 9)])
    assert len(roomy._prefixes) == 1
    assert not tight._prefixes
