"""What a recorded pass is made of: the time of each kind of program that it starts, see gpu_engine.py."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

_PASSES = 20
# By what their makers call them; the first that fits.
KINDS = (
    ("4-bit products", re.compile("marlin|gptq", re.IGNORECASE)),
    ("attention", re.compile("fmha|attention|attn|softmax|flash", re.IGNORECASE)),
    ("other products (the head)", re.compile("gemm|gemv|nvjet|cutlass|splitk|dot_", re.IGNORECASE)),
    ("copies", re.compile("copy|memcpy|memset|cat", re.IGNORECASE)),
    ("norms and sums", re.compile("reduce|mean|norm", re.IGNORECASE)),
)


def kind_of(program: str) -> str:
    return next((name for name, words in KINDS if words.search(program)), "element by element")


def taken_apart(play: Callable[[], Any]) -> str:
    """Markdown: kinds of programs, how many a pass starts, their microseconds; slowest first."""
    import torch

    for _ in range(3):
        play()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(_PASSES):
        play()
    torch.cuda.synchronize()
    wall = 1e6 * (time.perf_counter() - begin) / _PASSES
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as seen:
        for _ in range(_PASSES):
            play()
        torch.cuda.synchronize()
    count: dict[str, float] = defaultdict(float)
    spent: dict[str, float] = defaultdict(float)
    longest: dict[str, tuple[float, str]] = {}
    for one in seen.key_averages():
        took = float(one.self_device_time_total) / _PASSES
        if not took:
            continue
        kind = kind_of(one.key)
        count[kind] += one.count / _PASSES
        spent[kind] += took
        longest[kind] = max(longest.get(kind, (0.0, "")), (took, one.key))
    busy = sum(spent.values())
    lines = ["| kind | programs a pass | µs a pass | most of it |", "|---|---|---|---|"]
    for kind in sorted(spent, key=lambda name: -spent[name]):
        took, name = longest[kind]
        lines.append(
            f"| {kind} | {count[kind]:.0f} | {spent[kind]:.0f} | {took:.0f}: `{name[:70]}` |"
        )
    lines.append(f"| in all | {sum(count.values()):.0f} | {busy:.0f} of {wall:.0f} | |")
    return "\n".join(lines)
