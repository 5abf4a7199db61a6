"""A thousand requests at 32 at once, some cancelled, some over-long, a server killed in between.

    python tests/benchmarks/soak_engine.py [--engine openai|gptq] [--requests 1000] [--at-once 32]
    python tests/benchmarks/soak_engine.py --endpoints http://gpu1:8000/v1,http://gpu2:8000/v1 --kill PID
    python tests/benchmarks/soak_engine.py --vllm-python PYTHON --checkpoint FOLDER [--new-tokens 8]
    python tests/benchmarks/soak_engine.py --engine gptq --checkpoint FOLDER

Without --endpoints two strict servers of our own speak the wire protocol (they write what they
know by heart: this measures our side); with --vllm-python two real vLLM, of which one is killed
with all its processes and started again at once. Without --checkpoint `gptq` runs the tiny model. Every
request that is neither cancelled nor over-long must be answered; nothing may be left waiting or
running; memory must be back. Exit code 1 where one of these is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path
from typing import Any

import psutil

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from support.openai_server import OpenAiServer  # noqa: E402
from support.tiny_model import CHATS, SONG, tiny_checkpoint, tiny_model  # noqa: E402
from support.vllm_server import VllmServer  # noqa: E402

from core.engine.gptq import open_gptq  # noqa: E402
from core.engine.openai import OpenAiEngine  # noqa: E402
from core.errors import EngineFailed  # noqa: E402
from core.ports import Engine, Generation, Prompt  # noqa: E402
from core.settings import ModelSettings  # noqa: E402

Kill = Callable[[], Awaitable[None]]


async def soak(engine: Engine, asked: argparse.Namespace, kill: Kill) -> Counter[str]:
    chance = random.Random(7)
    kinds = ["cancelled"] * (asked.requests // 20) + ["over-long"] * (asked.requests // 20)
    kinds += ["plain"] * (asked.requests - len(kinds))
    chance.shuffle(kinds)
    places = asyncio.Semaphore(asked.at_once)
    ends: Counter[str] = Counter()
    seconds: list[float] = []
    begun = 0

    async def one(kind: str) -> None:
        nonlocal begun
        async with places:
            begun += 1
            if begun == asked.requests // 2:
                await kill()
            before = time.perf_counter()
            ends[await end_of(engine, kind, chance, asked.new_tokens)] += 1
            if kind == "plain":
                seconds.append(time.perf_counter() - before)

    await asyncio.gather(*(one(kind) for kind in kinds))
    print(f"{statistics.median(seconds):.3f} s median, {max(seconds):.3f} s longest")
    return ends


async def end_of(engine: Engine, kind: str, chance: random.Random, new_tokens: int) -> str:
    options = Generation(max_new_tokens=new_tokens)
    if kind == "over-long":
        try:
            await engine.generate(Prompt("queue " * (engine.context_tokens + 1)), options)
        except EngineFailed as error:
            return "over-long, refused" if "tokens" in str(error) else f"over-long: {error}"
        return "over-long, yet answered"
    if kind == "cancelled":
        async with aclosing(engine.stream(Prompt(SONG), options)) as pieces:
            with suppress(StopAsyncIteration):
                await anext(pieces)
        return "cancelled"
    try:
        text = await engine.generate(Prompt(chance.choice(list(CHATS))), options)
    except EngineFailed as error:
        return f"failed: {type(error).__name__}: {error.reason[:80]}"
    return "answered" if text.strip() else "empty"


async def vllm(stack: AsyncExitStack, asked: argparse.Namespace) -> tuple[Any, Kill]:
    """Two of them: while the killed one starts again, the other one has all the work."""
    if asked.checkpoint is None:
        raise SystemExit("name the folder that vLLM serves: --checkpoint")
    servers = [VllmServer(str(asked.vllm_python), asked.checkpoint, rows=32) for _ in range(2)]
    for server in servers:
        stack.callback(server.stop)
        server.start()
    for server in servers:
        await asyncio.to_thread(server.wait)
    settings = ModelSettings(
        endpoints=tuple(server.address for server in servers),
        folder=asked.checkpoint,
        max_waiting=256,
        timeout=300.0,
    )
    engine = OpenAiEngine(settings)
    stack.push_async_callback(engine.close)
    await engine.begin()

    async def kill() -> None:
        await asyncio.to_thread(servers[0].kill)
        servers[0].start()

    return engine, kill


async def openai(stack: AsyncExitStack, asked: argparse.Namespace) -> tuple[Any, Kill]:
    if asked.vllm_python:
        return await vllm(stack, asked)
    addresses = asked.endpoints.split(",") if asked.endpoints else []
    ours = 0 if addresses else 2
    servers = [await OpenAiServer(delay=0.0005).start() for _ in range(ours)]
    for server in servers:
        stack.push_async_callback(server.stop)
    addresses += [server.address for server in servers]
    settings = ModelSettings(
        endpoints=tuple(addresses),
        folder=None if asked.endpoints else tiny_model().folder,
        context_tokens=2048,
        max_waiting=256,
    )
    engine = OpenAiEngine(settings)
    stack.push_async_callback(engine.close)
    await engine.begin()

    async def kill() -> None:
        if asked.kill:
            os.kill(asked.kill, signal.SIGKILL)
        elif servers:
            await servers[0].stop()

    return engine, kill


async def gptq(stack: AsyncExitStack, asked: argparse.Namespace) -> tuple[Any, Kill]:
    folder = asked.checkpoint or tiny_checkpoint()
    settings = ModelSettings(folder=folder, context_tokens=2048, max_batch=16, cache_memory=256)
    engine = await open_gptq(settings)
    stack.push_async_callback(engine.close)

    async def nothing_to_kill() -> None:
        """It is in this process."""

    return engine, nothing_to_kill


async def run(asked: argparse.Namespace) -> bool:
    async with AsyncExitStack() as stack:
        engine, kill = await (openai if asked.engine == "openai" else gptq)(stack, asked)
        for prompt in CHATS:  # what is imported or compiled at the first request is no leak
            await engine.generate(Prompt(prompt), Generation(max_new_tokens=asked.new_tokens))
        before = memory()
        began = time.perf_counter()
        ends = await soak(engine, asked, kill)
        took = time.perf_counter() - began
        async with asyncio.timeout(30):
            while engine.waiting or engine.running:
                await asyncio.sleep(0.01)
        after = memory()
        back = await all_well(engine) if asked.vllm_python else True
    print(f"{asked.engine}: {asked.requests} requests, {asked.at_once} at once, {took:.1f} s")
    for end, count in ends.most_common():
        print(f"  {count:5d} {end}")
    print(f"  memory {before:.0f} MB before, {after:.0f} MB after")
    plain = asked.requests - 2 * (asked.requests // 20)
    whole = ends["answered"] == plain and ends["over-long, refused"] == asked.requests // 20
    return whole and back and after < before * 1.1 + 20


async def all_well(engine: OpenAiEngine) -> bool:
    """Whether the server that was started again is asked again, within five minutes."""
    begin = time.perf_counter()
    while not all(engine.healthy.values()):
        if time.perf_counter() - begin > 300:
            return False
        await asyncio.sleep(0.2)
    print(f"both servers are well {time.perf_counter() - begin:.0f} s after the last answer")
    return True


def memory() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", choices=["openai", "gptq"], default="openai")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--endpoints", default="")
    parser.add_argument("--vllm-python", type=Path, help="a Python that has vllm")
    parser.add_argument("--new-tokens", type=int, default=48)
    parser.add_argument("--kill", type=int, help="process id of a server, killed half-way")
    parser.add_argument("--checkpoint", type=Path)
    fine = asyncio.run(run(parser.parse_args()))
    print("all as it must be" if fine else "NOT as it must be")
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())
