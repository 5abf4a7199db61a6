"""Passes that are recorded once and played again, with what a card insists on checked on a CPU.

A CUDA graph plays on the addresses that it was recorded with. The recorder here runs the pass anew
each time instead, and fails where any tensor of the cache has moved since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.tiny_model import CHATS, SONG, chatml, tiny_checkpoint, tiny_model

from core.engine import gptq
from core.engine.checkpoints import Checkpoint, load_checkpoint
from core.engine.gptq import GptqEngine
from core.engine.recording import Recordings
from core.engine.rowcache import RowCache
from core.ports import Generation, Prompt
from core.settings import ModelSettings

ANSWER = Generation(max_new_tokens=80)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return load_checkpoint(tiny_checkpoint(), device="cpu")


class Recorder:
    """Stands where CUDA graphs would; `cache` is told once there is one. It runs while it records,
    which a graph does not: what goes in must be right by then already."""

    def __init__(self) -> None:
        self.cache: RowCache | None = None
        self.made = 0

    def __call__(self, run: Callable[[], Any]) -> Callable[[], Any]:
        self.made += 1
        run()
        recorded = self._addresses()

        def play() -> Any:
            assert self._addresses() == recorded, "the cache has moved since this was recorded"
            return run()

        return play

    def _addresses(self) -> list[int]:
        assert self.cache is not None
        return [one.data_ptr() for one in (*self.cache._keys, *self.cache._values)]


def engine_with(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, record: Any, **settings: Any
) -> GptqEngine:
    monkeypatch.setattr(gptq, "on_card", lambda _model: record)
    values = {"max_batch": 4, "cache_memory": 64} | settings
    engine = GptqEngine(checkpoint, ModelSettings.model_validate(values))
    record.cache = engine._batch._cache
    return engine


async def test_answers_that_are_played_are_those_of_transformers(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    engine = engine_with(checkpoint, monkeypatch, recorder)
    try:
        for system in ("", "You are brief."):
            for question in CHATS:
                answer = await engine.generate(Prompt(question, system), ANSWER)
                assert answer == tiny_model().greedy(chatml(question, system), 80)
        recordings = engine._batch._recordings
        assert recordings is not None
        assert recordings.played > 100
        assert recorder.made <= 6, "it is recorded anew only where the cache has grown"
    finally:
        await engine.close()


async def test_rows_that_come_and_go_are_answered_as_when_alone(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rows are played as four; the fourth place is nobody's, then somebody's."""
    engine = engine_with(checkpoint, monkeypatch, Recorder())
    try:
        questions = [*CHATS, *CHATS, *CHATS]
        lengths = [8 + 7 * (number % 5) for number in range(len(questions))]
        alone = [
            await engine.generate(Prompt(question), Generation(max_new_tokens=length))
            for question, length in zip(questions, lengths, strict=True)
        ]
        song = asyncio.create_task(engine.generate(Prompt(SONG), Generation(max_new_tokens=300)))
        together = await asyncio.gather(
            *(
                engine.generate(Prompt(question), Generation(max_new_tokens=length))
                for question, length in zip(questions, lengths, strict=True)
            )
        )
        song.cancel()
        assert together == alone
    finally:
        await engine.close()


async def test_what_cannot_be_recorded_is_run_and_said_once(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refuses(Recorder):
        def __call__(self, run: Callable[[], Any]) -> Callable[[], Any]:
            raise RuntimeError("operation not permitted when stream is capturing")

    engine = engine_with(checkpoint, monkeypatch, Refuses())
    try:
        for question in CHATS:
            answer = await engine.generate(Prompt(question), ANSWER)
            assert answer == tiny_model().greedy(chatml(question), 80)
    finally:
        await engine.close()
    said = [one for one in caplog.records if "not recorded" in one.getMessage()]
    assert len(said) == 1


def test_a_pass_that_would_reach_behind_the_cache_is_not_played() -> None:
    def run(_ids: Any, _places: Any) -> Any:
        raise AssertionError

    cache = RowCache()
    cache.make_room(1, 64)
    recordings = Recordings(run, Recorder(), "cpu")
    for _ in range(20):
        assert recordings.play([[1, 2]], [60], cache=cache) is None
