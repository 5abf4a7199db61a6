"""The continuous batch in the test's own hand: what it holds is never more than its budget."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from support.tiny_model import CHATS, SONG, tiny_checkpoint

from core.engine.checkpoints import Checkpoint, load_checkpoint
from core.engine.lookup import MOST, Drafts
from core.engine.row import Row
from core.engine.rowbatch import RowBatch
from core.engine.rowcache import bytes_per_token
from core.engine.writing import Writer
from core.ports import Generation, Prompt


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(), device="cpu")


def a_batch(checkpoint: Checkpoint, tokens: int, rows: int = 8, together: int = 0) -> RowBatch:
    size = bytes_per_token(checkpoint.model.config, checkpoint.model.dtype.itemsize)
    return RowBatch(
        checkpoint.model,
        checkpoint.template.ends,
        max_rows=rows,
        budget=tokens * size,
        read_together=together,
    )


def a_row(checkpoint: Checkpoint, words: int, new_tokens: int, system: str = "") -> Row:
    template = checkpoint.template
    ids = template.ids(Prompt("queue " * words, system))
    options = Generation(max_new_tokens=new_tokens)
    return Row(ids, template.prefix(system), options, Writer(template), None)


def held(batch: RowBatch) -> int:
    """Tokens for which there is memory."""
    return batch._cache.rows * batch._cache.width + batch._prefixes.tokens


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


@pytest.mark.parametrize("together", [1, 3, 8])
@pytest.mark.parametrize("seed", range(4))
async def test_whoever_comes_and_goes_the_budget_holds(
    checkpoint: Checkpoint, seed: int, together: int
) -> None:
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
    batch = a_batch(checkpoint, chance.choice([640, 1024, 2048]), together=together)
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


async def test_the_pass_that_reads_a_prompt_brings_its_first_token(checkpoint: Checkpoint) -> None:
    batch = a_batch(checkpoint, 2048)
    one, more = a_row(checkpoint, 9, 1), a_row(checkpoint, 9, 5)
    await run_to_the_end(batch, [one])
    assert (batch.counts.tokens, batch.counts.steps) == (1, 0)
    batch._together = 1
    await run_to_the_end(batch, [more])
    assert (batch.counts.tokens, batch.counts.steps) == (1 + 5, 4)
    assert (await more.answer()).startswith(await one.answer())


async def test_who_is_answered_while_reading_is_out_when_memory_ends_for_the_next(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    batch = a_batch(checkpoint, 2048)
    one, other = a_row(checkpoint, 9, 1), a_row(checkpoint, 9, 5)
    with torch.inference_mode():
        batch.join(one)
        batch.join(other)
        forward = batch._forward

        def for_one_alone(*given: Any, **named: Any) -> Any:
            if one not in batch.rows:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
            return forward(*given, **named)

        monkeypatch.setattr(batch, "_forward", for_one_alone)
        with pytest.raises(torch.OutOfMemoryError):
            batch.step()
        assert batch.rows == [other]
        assert batch.counts.tokens == 1
        monkeypatch.setattr(batch, "_forward", forward)
    await run_to_the_end(batch, [])
    assert (await other.answer()).startswith(await one.answer())


def passes_of(batch: RowBatch, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Rows and tokens of each pass from now on."""
    seen: list[tuple[int, int]] = []
    forward = batch._forward

    def watched(ids: Any, *given: Any, **named: Any) -> Any:
        seen.append(tuple(ids.shape))
        return forward(ids, *given, **named)

    monkeypatch.setattr(batch, "_forward", watched)
    return seen


async def test_rows_read_together_are_answered_as_each_by_itself(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = (40, 60, 75, 2, 61, 60)
    alone, batch = a_batch(checkpoint, 4096), a_batch(checkpoint, 4096, together=6)
    apart = [a_row(checkpoint, words, 12) for words in lengths]
    for row in apart:
        await run_to_the_end(alone, [row])
    rows = [a_row(checkpoint, words, 12) for words in lengths]
    batch._piece = 2048
    passes = passes_of(batch, monkeypatch)
    await run_to_the_end(batch, rows)
    assert [await row.answer() for row in rows] == [await row.answer() for row in apart]
    reading = [shape for shape in passes if shape[1] > 1 + MOST]
    assert reading == [(6, apart[2].prompt_tokens)]
    assert batch.counts.read == sum(row.prompt_tokens for row in rows)


async def test_what_filling_would_more_than_double_is_read_apart(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_batch(checkpoint, 4096, together=6)
    rows = [a_row(checkpoint, words, 3) for words in (2, 2, 90, 90)]
    passes = passes_of(batch, monkeypatch)
    await run_to_the_end(batch, rows)
    short, long = rows[0].prompt_tokens, rows[-1].prompt_tokens
    assert passes[:2] == [(2, short), (1, long)]


async def test_a_step_reads_no_more_than_its_piece_however_many_are_new(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = a_batch(checkpoint, 4096, together=8)
    batch._piece = 128
    passes = passes_of(batch, monkeypatch)
    await run_to_the_end(batch, [a_row(checkpoint, 40, 3) for _ in range(7)])
    assert max(rows * tokens for rows, tokens in passes) <= 128


async def test_who_comes_together_reads_the_common_beginning_once(checkpoint: Checkpoint) -> None:
    batch = a_batch(checkpoint, 4096, together=8)
    rows = [a_row(checkpoint, 5 + number, 3, "Be brief. " * 9) for number in range(5)]
    await run_to_the_end(batch, rows)
    shared = len(rows[0].prefix)
    assert batch.counts.prefix_tokens == 4 * shared
    assert batch.counts.read == sum(row.prompt_tokens for row in rows) - 4 * shared


async def test_a_beginning_that_cannot_be_kept_costs_no_pass_of_its_own(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_row(checkpoint, 1, 20, "Be brief. " * 9)
    batch = a_batch(checkpoint, -(-row.needs // 64) * 64)
    passes = passes_of(batch, monkeypatch)
    await run_to_the_end(batch, [row])
    assert passes[0] == (1, row.prompt_tokens)


def asked(checkpoint: Checkpoint, question: str, options: Generation) -> Row:
    import torch

    template = checkpoint.template
    row = Row(template.ids(Prompt(question)), (), options, Writer(template), None)
    row.chance = torch.Generator().manual_seed(options.seed)
    return row


@pytest.mark.parametrize(
    "options",
    [
        Generation(max_new_tokens=70),
        Generation(max_new_tokens=70, no_repeat_ngram=3, repetition_penalty=1.3),
        Generation(max_new_tokens=70, temperature=1.5, top_p=0.9, seed=4),
    ],
    ids=["greedy", "with penalties", "drawn"],
)
async def test_guesses_change_the_pace_and_not_the_words(
    checkpoint: Checkpoint, options: Generation
) -> None:
    questions = [*CHATS, SONG, *(f"{one} {one} {answer[:20]}" for one, answer in CHATS.items())]
    answers: list[list[str]] = []
    for together in (1, 16):  # 1: nothing is guessed
        batch = a_batch(checkpoint, 8192, rows=3)
        batch._together = together
        rows = [asked(checkpoint, question, options) for question in questions]
        await run_to_the_end(batch, rows)
        answers.append([await row.answer() for row in rows])
        assert bool(batch.counts.guessed) == (together > 1)
    assert answers[0] == answers[1]


async def test_what_is_sung_again_and_again_takes_few_passes(checkpoint: Checkpoint) -> None:
    batch = a_batch(checkpoint, 2048)
    row = asked(checkpoint, SONG, Generation(max_new_tokens=80))
    await run_to_the_end(batch, [row])
    assert batch.counts.tokens == 80
    assert batch.counts.steps < 40
    assert batch.counts.right > 40


def test_a_guess_is_what_followed_and_grows_shorter_when_it_is_wrong() -> None:
    drafts = Drafts([1, 2, 3, 4, 9, 2, 3])
    assert drafts.guess([1, 2, 3, 4, 9, 2, 3], 8) == [4, 9, 2, 3]
    assert drafts.guess([1, 2, 3, 4, 9, 2, 3], 1) == [4]
    assert drafts.guess([7, 8], 8) == []
    drafts.came(4, 1)
    assert drafts.size == MOST // 2
    drafts.came(4, 4)
    assert drafts.size == MOST


def test_who_guesses_wrong_stops_for_a_while_where_it_costs() -> None:
    ids = [1, 2, 3, 4, 9, 1, 2]
    drafts = Drafts(ids)
    assert drafts.guess(ids, 4, needed=1) == [3, 4, 9, 1]
    drafts.came(4, 0)
    assert drafts.guess(ids, 4, needed=0)  # where it costs nothing it goes on
    pauses = 0
    while not drafts.guess(ids, 4, needed=1):
        pauses += 1
    assert 2 < pauses < 20
    drafts.came(4, 4)
    assert drafts.guess(ids, 4, needed=1)
