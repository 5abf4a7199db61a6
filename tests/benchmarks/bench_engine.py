"""Our engine beside llama.cpp: the same weights, the same prompts, one run, taking turns.

    python tests/benchmarks/bench_engine.py [--rounds 5] [--requests 1,4,16] [--data-dir DIR]
    python tests/benchmarks/bench_engine.py --articles --data FOLDER --plain FOLDER [--checkpoint FOLDER]
    python tests/benchmarks/bench_engine.py --gpu [--sizes 7b,32b] --requests 1,16,64,256

The second puts the same real articles through every engine that is installed (engines_compared.py),
the third measures the GPTQ engine on a card with random weights (gpu_engine.py). The first:

Needs the `bench` extra (xllamacpp) and nothing else running. Each engine lives in a child
process of its own, both are warm before the first turn, and every prompt is new to both, so
what either keeps of earlier prompts helps it only with the common beginning. Both write exactly
the same number of tokens (the end token is ignored) and choose greedily. Prints Markdown for
core/engine/BENCHMARKS.md.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from benchmarks import engines_compared, gpu_engine  # noqa: E402

from core.engine.chat import Chat, ModelCard  # noqa: E402
from core.engine.ct2 import CTranslate2Engine  # noqa: E402
from core.engine.prepare import prepare  # noqa: E402
from core.engine.weights import GENERATOR  # noqa: E402
from core.ports import Generation, Prompt  # noqa: E402
from core.settings import ModelSettings  # noqa: E402

SYSTEM = "You summarise technical articles for engineers. You only say what the text says."
QUESTION = "Summarise this text in three sentences.\n\n"
NEW_TOKENS = 96
_MARKS = "abcdefghijklmnopqrstuvwxyz"  # one letter each: prompts of one length, none alike
NEVER = ("<gh_stars>",)  # an end token that neither model ever writes


@dataclass(frozen=True)
class Answer:
    """Seconds to the first text and in all, and how many tokens llama.cpp says it wrote."""

    first: float
    total: float
    tokens: int = NEW_TOKENS


# -- the two engines, each in its own process ---------------------------------------------


class Ours:
    def __init__(self, folder: Path, threads: int) -> None:
        self._engine = CTranslate2Engine(folder, ModelSettings(threads=threads, max_batch=8))
        self._loop = asyncio.new_event_loop()

    def answer(self, user: str) -> Answer:
        return self._loop.run_until_complete(self._answer(user))

    def many(self, users: list[str]) -> list[Answer]:
        async def all_at_once() -> list[Answer]:
            return await asyncio.gather(*(self._answer(user) for user in users))

        return self._loop.run_until_complete(all_at_once())

    async def _answer(self, user: str) -> Answer:
        begin, first = time.perf_counter(), 0.0
        options = Generation(max_new_tokens=NEW_TOKENS)
        async for _ in self._engine.stream(Prompt(user, SYSTEM), options):
            first = first or time.perf_counter() - begin
        return Answer(first, time.perf_counter() - begin)


class Llama:
    """llama.cpp's own server, in process, with prompt caching as it comes."""

    def __init__(self, gguf: Path, threads: int, ubatch: int, attention: str, slots: int) -> None:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(gguf)
        params.n_ctx = 2048 * slots
        params.n_batch = 2048
        params.n_ubatch = ubatch
        params.n_parallel = slots
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        kinds = xllamacpp.llama_flash_attn_type
        params.flash_attn_type = {
            "auto": kinds.LLAMA_FLASH_ATTN_TYPE_AUTO,
            "on": kinds.LLAMA_FLASH_ATTN_TYPE_ENABLED,
            "off": kinds.LLAMA_FLASH_ATTN_TYPE_DISABLED,
        }[attention]
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self._callers = ThreadPoolExecutor(slots)

    def many(self, users: list[str]) -> list[Answer]:
        return list(self._callers.map(self.answer, users))

    def answer(self, user: str) -> Answer:
        turns = (("system", SYSTEM), ("user", user))
        prompt = "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)
        begin, first, tokens = time.perf_counter(), 0.0, 0

        def heard(chunk: Any) -> bool:
            nonlocal first, tokens
            part = json.loads(chunk) if isinstance(chunk, str | bytes) else chunk
            if isinstance(part, dict) and part.get("choices"):
                first = first or time.perf_counter() - begin
                tokens = part.get("usage", {}).get("completion_tokens", tokens)
                tokens = part.get("timings", {}).get("predicted_n", tokens)
            return False

        asked = {
            "prompt": prompt + "<|im_start|>assistant\n",
            "max_tokens": NEW_TOKENS,
            "temperature": 0.0,
            "top_k": 1,
            "ignore_eos": True,
            "cache_prompt": True,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        self._server.handle_completions(asked, heard)
        return Answer(first, time.perf_counter() - begin, tokens)


def serve(asked: argparse.Namespace) -> None:
    """A child: one JSON question a line in, one JSON answer a line out."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints does not get between the answers
    engine: Ours | Llama
    if asked.child == "ours":
        engine = Ours(asked.model, asked.threads)
    else:
        engine = Llama(asked.model, asked.threads, asked.ubatch, asked.attention, asked.slots)
    for line in sys.stdin:
        users = json.loads(line)
        found = engine.many(users)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answers.write(json.dumps({"answers": [vars(one) for one in found], "peak": peak}) + "\n")
        answers.flush()


class Child:
    def __init__(self, name: str, model: Path, **more: object) -> None:
        self.name = name
        self.peak = 0.0
        options = [text for key, value in more.items() for text in (f"--{key}", str(value))]
        command = [sys.executable, __file__, "--child", name.split()[0], "--model", str(model)]
        self._process = subprocess.Popen(
            [*command, *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, *users: str) -> list[Answer]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(users) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        self.peak = said["peak"]
        return [Answer(**one) for one in said["answers"]]

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


# -- what they are asked ------------------------------------------------------------------


def prompts(chat: Chat, tokens: int) -> Iterator[str]:
    """Texts from Python's own documentation, each about `tokens` long and never the same."""
    texts = itertools.cycle([text for text in topics.values() if chat.count(text) > 1.2 * tokens])
    for number in itertools.count():
        words = next(texts).split()
        start = 7 * number % max(1, len(words) - tokens)
        size = tokens
        while chat.count(" ".join(words[start : start + size])) > tokens:
            size -= 5
        yield QUESTION + " ".join(words[start : start + size])


@contextmanager
def models(data_dir: Path, wheels: Path | None) -> Iterator[tuple[Path, Path, Chat]]:
    """Our folder (with an end token that never comes) and the GGUF it was made from."""
    made = asyncio.run(prepare(data_dir, wheels=wheels))
    wheel = (wheels or data_dir / "models" / "wheels") / GENERATOR.file
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "ours"
        folder.mkdir()
        for path in made.generator.iterdir():
            (folder / path.name).symlink_to(path)
        (folder / "engine.json").unlink()
        card = replace(ModelCard.load(made.generator), ends=NEVER)
        card.save(folder)
        with zipfile.ZipFile(wheel) as archive:
            gguf = Path(archive.extract(GENERATOR.wanted[0], place))
        yield folder, gguf, Chat(made.generator, card)


# -- the tables ---------------------------------------------------------------------------


def side_by_side(children: list[Child], chat: Chat, rounds: int) -> None:
    print("| prompt | engine | total s (median) | min–max | first text s | tokens/s | peak MB |")
    print("|---|---|---|---|---|---|---|")
    for size in (450, 800):
        source = prompts(chat, size)
        for child in children:  # warm
            child.ask(next(source))
        found: dict[str, list[Answer]] = {child.name: [] for child in children}
        for _ in range(rounds):
            prompt = next(source)
            for child in children:
                found[child.name] += child.ask(prompt)
        medians = {}
        for child in children:
            answers = found[child.name]
            totals = [one.total for one in answers]
            medians[child.name] = statistics.median(totals)
            written = {one.tokens for one in answers}
            note = "" if written == {NEW_TOKENS} else f" (wrote {sorted(written)})"
            print(
                f"| {size} + {NEW_TOKENS} | {child.name}{note} | {medians[child.name]:.2f} | "
                f"{min(totals):.2f}–{max(totals):.2f} | "
                f"{statistics.median(one.first for one in answers):.2f} | "
                f"{NEW_TOKENS / medians[child.name]:.1f} | {child.peak:.0f} |"
            )
        best = min(value for name, value in medians.items() if name.startswith("llama"))
        ratio = best / medians[children[0].name]
        print(f"| {size} + {NEW_TOKENS} | **llama.cpp's best : ours** | **{ratio:.2f}** | | | | |")


def at_once(children: list[Child], chat: Chat, number: int) -> None:
    source = prompts(chat, 450)
    different = [next(source) for _ in range(number)]
    rounds = [("different", different)]
    if number > 1:
        rounds.append(("of one length", [next(source)[:-1] + mark for mark in _MARKS[:number]]))
    for child in children:
        child.ask(next(source))  # warm
        for kind, users in rounds:
            begin = time.perf_counter()
            answers = child.ask(*users)
            took = time.perf_counter() - begin
            middle = statistics.median(one.total for one in answers)
            print(
                f"| {number} | {kind} | {child.name} | {took:.2f} | {number / took:.2f} | "
                f"{middle:.2f} | {child.peak:.0f} |"
            )


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "CPU")
    flags = next((line for line in lines if line.startswith("flags")), "")
    vnni = ", AVX-512 VNNI" if "avx512_vnni" in flags else ""
    return f"{os.cpu_count()} cores of {model}{vnni}, {platform.system()} {platform.release()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--data-dir", type=Path, default=Path.home() / ".cache/smartdevdigest-bench"
    )
    parser.add_argument("--wheels", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", default="1,4,16")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--sweep", action="store_true", help="more settings of llama.cpp")
    parser.add_argument("--child", choices=["ours", "llama.cpp"], help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--ubatch", type=int, default=512, help=argparse.SUPPRESS)
    parser.add_argument("--slots", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--attention", default="auto", help=argparse.SUPPRESS)
    parser.add_argument("--articles", action="store_true", help="real articles, every engine")
    parser.add_argument("--gpu", action="store_true", help="the GPTQ engine on a card")
    parser.add_argument("--sizes", default="7b,32b")
    parser.add_argument("--apart", action="store_true", help="what a recorded pass is made of")
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--words", type=int, default=48, help="of a prompt, on a card")
    parser.add_argument("--texts", type=Path, help="articles that are asked on a card, JSON lines")
    parser.add_argument("--guesses", action="store_true", help="on a card, with guesses besides")
    parser.add_argument("--padded", type=int, default=256, help="at most so many for generate")
    parser.add_argument("--squeeze", type=float, default=0, help="GB that others leave of the card")
    engines_compared.arguments(parser)
    asked = parser.parse_args()
    if asked.child:
        serve(asked)
        return
    if asked.articles or asked.gpu:
        asked.data_dir.mkdir(parents=True, exist_ok=True)
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}\n")
    if asked.articles:
        engines_compared.compare(asked)
        return
    if asked.gpu:
        asyncio.run(gpu_engine.run(asked))
        return
    with models(asked.data_dir, asked.wheels) as (folder, gguf, chat):
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}, {asked.threads} threads,")
        print(f"ctranslate2 {version('ctranslate2')}, xllamacpp {version('xllamacpp')}\n")
        ours = Child("ours", folder, threads=asked.threads)
        others = [Child("llama.cpp", gguf, threads=asked.threads)]
        if asked.sweep:
            for attention, ubatch in (("on", 512), ("off", 512), ("auto", 2048), ("auto", 128)):
                others.append(
                    Child(
                        f"llama.cpp attention={attention} ubatch={ubatch}",
                        gguf,
                        threads=asked.threads,
                        attention=attention,
                        ubatch=ubatch,
                    )
                )
            others.append(Child("llama.cpp threads=1", gguf, threads=1))
        side_by_side([ours, *others], chat, asked.rounds)
        for child in others:
            child.end()
        print("\n| at once | prompts | engine | all done s | requests/s | median s | peak MB |")
        print("|---|---|---|---|---|---|---|")
        for number in map(int, asked.requests.split(",")):
            slots = min(number, 16)
            other = Child("llama.cpp", gguf, threads=asked.threads, slots=slots)
            at_once([ours, other], chat, number)
            other.end()
        ours.end()


if __name__ == "__main__":
    main()
