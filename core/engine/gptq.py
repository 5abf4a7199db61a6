"""The engine for GPTQ checkpoints, in this process: transformers, gptqmodel, a continuous batch.

Any decoder that transformers loads works, quantised or not, on a GPU (Marlin kernels, chosen by
gptqmodel) or on a CPU. Everything that touches the model runs in one thread; the loop only puts
requests into a line and reads what comes back. What is interrupted when nobody waits any more:
an answer, after its current token. Beam search runs alone, to its end.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import psutil

from core.article import Language
from core.engine.checkpoints import Checkpoint, load_checkpoint
from core.engine.constraint import Constraints
from core.engine.recording import on_card
from core.engine.row import Counts, Row
from core.engine.rowbatch import RowBatch
from core.engine.templating import within
from core.engine.writing import Writer, written
from core.errors import EngineBusy, EngineFailed, EngineOutOfMemory, EngineTimedOut, ModelNotReady
from core.ports import Generation, Prompt
from core.settings import ModelSettings

log = logging.getLogger(__name__)

# Shares of what is free once the weights are loaded; the rest is for activations and for others.
_GPU_SHARE = 0.8
_CPU_SHARE = 0.25
_MOST_ON_CPU = 4 * 2**30


class GptqEngine:
    """core.ports.Engine over a loaded checkpoint."""

    def __init__(self, checkpoint: Checkpoint, settings: ModelSettings) -> None:
        self._checkpoint = checkpoint
        self._template = checkpoint.template
        self._card = within(checkpoint.template.card, settings.context_tokens)
        self._languages = settings.languages or self._card.languages
        self._timeout = settings.timeout
        self._max_waiting = settings.max_waiting
        vocabulary = checkpoint.model.config.get_text_config().vocab_size
        self._constraints = Constraints(
            self._template.tokenizer, int(vocabulary), self._template.ends
        )
        self._batch = RowBatch(
            checkpoint.model,
            self._template.ends,
            max_rows=settings.max_batch,
            budget=settings.cache_memory * 2**20 or free_for_cache(checkpoint.device),
            record=on_card(checkpoint.model),
        )
        self._line: deque[Row] = deque()
        self._searching = 0
        self._awake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        revision = self._checkpoint.revision
        return f"{self._card.name}@{revision}" if revision else self._card.name

    @property
    def context_tokens(self) -> int:
        return self._card.context_tokens

    @property
    def writes(self) -> frozenset[Language]:
        return frozenset(self._languages)

    @property
    def waiting(self) -> int:
        return len(self._line) + len(self._batch.back)

    @property
    def running(self) -> int:
        return len(self._batch.rows) + self._searching

    @property
    def counts(self) -> Counts:
        return self._batch.counts

    def count_tokens(self, text: str) -> int:
        return self._template.count(text)

    async def warm_up(self) -> None:
        """The first token of all: kernels are built and weights laid out for them now."""
        await self.generate(Prompt("Hello"), Generation(max_new_tokens=2))

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        return await self._answered(await self._row(prompt, options))

    async def search(self, prompt: Prompt, options: Generation) -> tuple[str, ...]:
        row = await self._row(prompt, options)
        row.answers = options.beams
        best = await self._answered(row)
        return (best, *row.others)

    async def _answered(self, row: Row) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                self._join(row)
                return await row.answer()
        except TimeoutError as error:
            raise self._too_late() from error
        finally:
            self._leave(row)

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        row = await self._row(prompt, options)
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            self._join(row)
            while (piece := await self._piece(row, deadline)) is not None:
                yield piece
        finally:
            self._leave(row)

    async def close(self) -> None:
        """What waits or runs fails; returns when the thread works no more."""
        with self._awake:
            self._closed = True
            self._awake.notify()
        await asyncio.to_thread(self._thread.join)

    async def _piece(self, row: Row, deadline: float) -> str | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await row.next_piece()
        except TimeoutError as error:
            raise self._too_late() from error

    def _too_late(self) -> EngineTimedOut:
        return EngineTimedOut(self.name, f"no whole answer within {self._timeout:g} s")

    async def _row(self, prompt: Prompt, options: Generation) -> Row:
        """Raises EngineFailed for a prompt that does not fit beside its answer."""
        ids, prefix, constraint = await asyncio.to_thread(self._prepared, prompt, options)
        room = self._card.context_tokens - options.max_new_tokens
        if len(ids) > room:
            raise EngineFailed(
                self.name,
                f"the prompt has {len(ids)} tokens, but only {max(room, 0)} fit beside an answer "
                f"of {options.max_new_tokens}",
            )
        row = Row(ids, prefix, options, Writer(self._template, options.stop), constraint)
        if options.temperature > 0:
            import torch

            row.chance = torch.Generator().manual_seed(options.seed)
        return row

    def _prepared(self, prompt: Prompt, options: Generation) -> tuple[list[int], Any, Any]:
        constraint = self._constraints.constraint(options.schema)
        return self._template.ids(prompt), self._template.prefix(prompt.system), constraint

    def _join(self, row: Row) -> None:
        with self._awake:
            if self._closed:
                raise EngineFailed(self.name, "the engine is closed")
            if len(self._line) >= self._max_waiting:
                raise EngineBusy(self.name, f"{len(self._line)} requests are waiting already")
            self._line.append(row)
            self._awake.notify()

    def _leave(self, row: Row) -> None:
        with self._awake, suppress(ValueError):
            row.abandoned = True
            self._line.remove(row)

    # -- from here on in the engine's thread --------------------------------------------------

    def _work(self) -> None:
        import torch

        try:
            with torch.inference_mode():
                while self._wait():
                    try:
                        self._admit()
                        if self._batch.rows:
                            self._batch.step()
                    except Exception as error:  # noqa: BLE001 - those who wait must hear of it
                        self._trouble(error)
        finally:
            self._end()

    def _wait(self) -> bool:
        """Until there is something to do; False: the engine is closed."""
        with self._awake:
            while not (self._closed or self._line or self._batch.rows or self._batch.back):
                self._awake.wait()
            return not self._closed

    def _admit(self) -> None:
        """First come, first served: whoever does not fit keeps those behind it waiting too."""
        while (row := self._next()) is not None:
            alone = row.options.beams > 1
            try:
                if not (alone or self._batch.fits(row)):
                    return
            except EngineOutOfMemory as error:
                self._take(row)
                row.fail(error)
                continue
            if not self._take(row):
                continue
            if alone:
                self._search(row)
                return  # those in the batch write a token before the next search
            self._batch.join(row)

    def _next(self) -> Row | None:
        """The longest waiting one that somebody still waits for; it keeps its place in the line,
        which would let in one too many otherwise."""
        back = self._batch.back
        while back and back[0].abandoned:
            back.popleft()
        if back:
            return back[0]
        with self._awake:
            return self._line[0] if self._line else None

    def _take(self, row: Row) -> bool:
        """Out of the line. False: it has just left it by itself."""
        if self._batch.back and self._batch.back[0] is row:
            self._batch.back.popleft()
            return True
        with self._awake:
            if row.abandoned:
                return False
            self._line.popleft()
            return True

    def _search(self, row: Row) -> None:
        self._searching = 1
        try:
            best, *others = self._searched(row.ids, row.options, row.answers)
        except Exception as error:  # noqa: BLE001 - see _trouble
            row.fail(self._failure(error))
            return
        finally:
            self._searching = 0
        for token in best:
            piece = row.writer.add(token)
            if piece:
                row.wrote(piece)
        row.others = tuple(written(ids, self._template, row.options.stop) for ids in others)
        row.finish_text()

    def _searched(self, asked: list[int], options: Generation, answers: int) -> list[list[int]]:
        """Likeliest first, without the tokens that end an answer or fill it up."""
        import torch

        model = self._checkpoint.model
        ids = torch.tensor([asked], device=model.device)
        found = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            num_beams=options.beams,
            num_return_sequences=answers,
            length_penalty=options.length_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram,
            repetition_penalty=options.repetition_penalty,
            max_new_tokens=options.max_new_tokens,
            eos_token_id=sorted(self._template.ends),
            pad_token_id=min(self._template.ends),
        )
        rows: list[list[int]] = found[:, len(asked) :].tolist()
        return [[token for token in row if token not in self._template.ends] for row in rows]

    def _trouble(self, error: Exception) -> None:
        failed = self._failure(error)
        if isinstance(failed, EngineOutOfMemory) and self._batch.rows:
            with suppress(EngineOutOfMemory):
                self._batch.shrink()
            error.__traceback__ = None  # its frames hold on to what should be given back
            give_back(self._checkpoint.device)
            return
        log.error("the batch failed", exc_info=error)
        self._batch.fail_all(failed)

    def _failure(self, error: Exception) -> EngineFailed:
        if isinstance(error, EngineFailed):
            return error
        said = str(error) or type(error).__name__
        words = said.lower()
        full = "out of memory" in words or "can't allocate memory" in words
        kind = EngineOutOfMemory if full or isinstance(error, MemoryError) else EngineFailed
        failed = kind(self.name, said)
        failed.__cause__ = error
        return failed

    def _end(self) -> None:
        """Also after what nobody foresaw: who asks now must not wait for a thread that is gone."""
        closed = EngineFailed(self.name, "the engine is closed")
        with self._awake:
            self._closed = True
            while self._line:
                self._line.popleft().fail(closed)
        self._batch.fail_all(closed)
        self._batch.forget()
        give_back(self._checkpoint.device)


async def open_gptq(settings: ModelSettings) -> GptqEngine:
    """Loaded and warm. Raises ModelNotReady and EngineOutOfMemory."""
    if settings.folder is None:
        raise ModelNotReady(
            "model.folder",
            "engine gptq needs a checkpoint: a folder made by `python -m training quantize`, or an "
            "id on a model hub (core/engine/MODELS.md names some)",
        )
    checkpoint = await asyncio.to_thread(
        load_checkpoint, settings.folder, device=settings.device, adapter=settings.adapter
    )
    engine = GptqEngine(checkpoint, settings)
    try:
        await engine.warm_up()
    except BaseException:
        await engine.close()
        raise
    return engine


def free_for_cache(device: str) -> int:
    """Bytes for keys and values, of what is free now that the weights are loaded."""
    if device == "cuda":
        import torch

        free, _ = torch.cuda.mem_get_info()
        return int(_GPU_SHARE * free)
    return min(int(_CPU_SHARE * psutil.virtual_memory().available), _MOST_ON_CPU)


def give_back(device: str) -> None:
    gc.collect()
    if device == "cuda":
        import torch

        torch.cuda.empty_cache()
