"""The embedded engine: a small model on the CPU, run by CTranslate2 with int8 weights.

Each worker has one thread of its own. Two threads for one answer gain less than 5 % (reading the
prompt gets faster, writing slower), two answers side by side gain 100 %; see BENCHMARKS.md.

What is interrupted when nobody waits any more: an answer that is being written, after its
current token. Reading the prompt (under a second) and beam search run to their end in their
thread, unheard.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Hashable, Sequence
from pathlib import Path
from typing import Any

import ctranslate2

from core.article import Language
from core.engine.batching import Request, WaitingLine
from core.engine.chat import Chat, ModelCard, Tokens
from core.engine.writing import Writer, written
from core.errors import EngineFailed, EngineTimedOut, ModelNotReady
from core.ports import Generation, Prompt
from core.settings import ModelSettings

# The state after a system turn is kept by CTranslate2 for ever, 46 KB a token for SmolLM2-135M.
# Ours are few; whoever makes new ones for each request must not fill the memory.
_KEPT_SYSTEM_TURNS = 16


class _Asked(Request):
    """`answers`: how many of a search are wanted; each more makes it longer."""

    def __init__(self, tokens: Tokens, options: Generation, chat: Chat, answers: int) -> None:
        super().__init__(_kind(tokens, options, answers))
        self.tokens = tokens
        self.answers = answers
        self.options = options
        self._chat = chat
        self._heard = 0  # characters that were told, in whichever attempt
        self.begin()

    def begin(self) -> None:
        """Also again: a batch that ran out of memory is done in halves, each from its start."""
        self.writer = Writer(self._chat, self.options.stop)
        self._said = 0

    def show(self, piece: str) -> None:
        """What was told in an earlier attempt is not told twice."""
        new = piece[max(0, self._heard - self._said) :]
        self._said += len(piece)
        if new:
            self._heard = self._said
            self.wrote(new)


def _kind(tokens: Tokens, options: Generation, answers: int) -> Hashable | None:
    """Requests of one kind give in a batch what each gives alone.

    CTranslate2 reads the tail of the longer prompts of a batch token by token and counts it as
    written text, which the penalties then see: only prompts of equal length go together. Drawn
    samples depend on everything drawn before: a sampled request runs alone.
    """
    if options.temperature > 0:
        return None
    return (options, answers, tokens.system, len(tokens.rest))


class CTranslate2Engine:
    """core.ports.Engine over a prepared folder: model.bin, tokenizer.json, engine.json."""

    def __init__(self, folder: Path, settings: ModelSettings, *, revision: str = "") -> None:
        self._folder = folder
        self._card = ModelCard.load(folder)
        self._chat = Chat(folder, self._card)
        self._name = f"{self._card.name}@{revision}" if revision else self._card.name
        self._timeout = settings.timeout
        workers = settings.threads or os.cpu_count() or 1
        self._model = _load(folder, workers)
        self._system_turns: set[tuple[str, ...]] = set()
        self._sampling = threading.Lock()
        self._line: WaitingLine[_Asked] = WaitingLine(
            self._run,
            name=self._name,
            workers=workers,
            max_waiting=settings.max_waiting,
            max_batch=settings.max_batch,
        )

    @property
    def name(self) -> str:
        return self._name

    @property
    def context_tokens(self) -> int:
        return self._card.context_tokens

    @property
    def writes(self) -> frozenset[Language]:
        return frozenset(self._card.languages)

    @property
    def waiting(self) -> int:
        return self._line.waiting

    @property
    def running(self) -> int:
        return self._line.running

    def count_tokens(self, text: str) -> int:
        return self._chat.count(text)

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        return await self._answered(await self._asked(prompt, options))

    async def search(self, prompt: Prompt, options: Generation) -> tuple[str, ...]:
        request = await self._asked(prompt, options, options.beams)
        best = await self._answered(request)
        return (best, *request.others)

    async def _answered(self, request: _Asked) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                self._line.join(request)
                return await request.answer()
        except TimeoutError as error:
            raise self._too_late() from error
        finally:
            self._line.leave(request)

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        request = await self._asked(prompt, options)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        try:
            self._line.join(request)
            while (piece := await self._piece(request, deadline)) is not None:
                yield piece
        finally:
            self._line.leave(request)

    async def close(self) -> None:
        await self._line.close()
        self._model.unload_model()

    async def _piece(self, request: _Asked, deadline: float) -> str | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await request.next_piece()
        except TimeoutError as error:
            raise self._too_late() from error

    def _too_late(self) -> EngineTimedOut:
        return EngineTimedOut(self._name, f"no whole answer within {self._timeout:g} s")

    async def _asked(self, prompt: Prompt, options: Generation, answers: int = 1) -> _Asked:
        tokens = await asyncio.to_thread(self._chat.tokens, prompt)
        room = self._card.context_tokens - options.max_new_tokens
        if len(tokens) > room:
            raise EngineFailed(
                self._name,
                f"the prompt has {len(tokens)} tokens, but only {max(room, 0)} fit beside an "
                f"answer of {options.max_new_tokens}",
            )
        return _Asked(tokens, options, self._chat, answers)

    # -- from here on in a worker's thread -------------------------------------------------

    def _run(self, batch: Sequence[_Asked]) -> None:
        options = batch[0].options
        for request in batch:
            request.begin()
        if options.beams > 1:
            self._search(batch, options)
        elif options.temperature > 0:
            self._sample(batch, options)
        else:
            self._write(self._model, batch, {})

    def _write(
        self, model: ctranslate2.Generator, batch: Sequence[_Asked], more: dict[str, Any]
    ) -> None:
        """Token by token; each answer is delivered as soon as its own row is finished."""
        kwargs = self._kwargs(batch) | more
        model.generate_batch(_prompts(batch), callback=_deliver_to(batch), **kwargs)
        for request in batch:
            _finish(request)

    def _sample(self, batch: Sequence[_Asked], options: Generation) -> None:
        # CTranslate2 seeds a worker's generator of chance once, when the worker first draws. A
        # model loaded for this request (0.1 s, from the page cache) is the way to obey a seed.
        with self._sampling:
            ctranslate2.set_random_seed(options.seed)
            fresh = _load(self._folder, 1)
            more = {
                "sampling_temperature": options.temperature,
                "sampling_topp": options.top_p,
                "sampling_topk": options.top_k,
            }
            self._write(fresh, batch, more)

    def _search(self, batch: Sequence[_Asked], options: Generation) -> None:
        found = self._model.generate_batch(
            _prompts(batch),
            beam_size=options.beams,
            num_hypotheses=batch[0].answers,
            length_penalty=options.length_penalty,
            **self._kwargs(batch),
        )
        for request, result in zip(batch, found, strict=True):
            best, *others = result.sequences_ids
            for token_id in best:
                request.show(request.writer.add(token_id))
            request.others = tuple(written(ids, self._chat, options.stop) for ids in others)
            _finish(request)

    def _kwargs(self, batch: Sequence[_Asked]) -> dict[str, Any]:
        options, system = batch[0].options, batch[0].tokens.system
        kwargs: dict[str, Any] = {
            "max_length": options.max_new_tokens,
            "no_repeat_ngram_size": options.no_repeat_ngram,
            "repetition_penalty": options.repetition_penalty,
            "end_token": list(self._chat.ends),
            "include_prompt_in_result": False,
        }
        if system:
            kwargs["static_prompt"] = list(system)
            kwargs["cache_static_prompt"] = self._keep(system)
        return kwargs

    def _keep(self, system: tuple[str, ...]) -> bool:
        if system in self._system_turns:
            return True
        if len(self._system_turns) >= _KEPT_SYSTEM_TURNS:
            return False
        self._system_turns.add(system)
        return True


def _prompts(batch: Sequence[_Asked]) -> list[list[str]]:
    return [list(request.tokens.rest) for request in batch]


def _deliver_to(batch: Sequence[_Asked]) -> Callable[[Any], bool]:
    """What CTranslate2 calls for each token; True ends that row."""

    def deliver(step: Any) -> bool:
        request = batch[step.batch_id]
        if request.abandoned:
            return True
        # An end token is a control token: the tokenizer leaves it out of the text.
        request.show(request.writer.add(step.token_id))
        if step.is_last or request.writer.finished:
            _finish(request)
            return True
        return False

    return deliver


def _finish(request: _Asked) -> None:
    request.show(request.writer.close())
    request.finish(request.writer.text)


def _load(folder: Path, workers: int) -> ctranslate2.Generator:
    try:
        return ctranslate2.Generator(
            str(folder), device="cpu", compute_type="int8", inter_threads=workers, intra_threads=1
        )
    except (RuntimeError, ValueError) as error:
        raise ModelNotReady(str(folder), f"the model cannot be loaded ({error})") from error
