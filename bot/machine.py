"""What this machine has, and which profile fits it: measured first, then a pure decision.

A model's memory is reckoned, not tried: 4-bit weights with their scales take 0.56 bytes a
parameter, embeddings and head stay 16-bit, and what is read and written at once (KV cache) comes
on top. The figures of the tried ones are in core/engine/MODELS.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import pynvml

Profile = Literal["embedded", "gpu", "vllm", "none"]

GB = 10**9
# A weight of 4 bits, and a 16-bit scale and a 4-bit zero for each 128 of them: 4.16 bits; with the
# 16-bit embeddings and head of usual models about 4.5 bits a parameter.
_BYTES_A_PARAMETER = 0.56
# The embedded models and the service around them: measured 0.8 GB for a digest at a time, and 1.1 GB
# for both models with sixteen answers at once.
_EMBEDDED = int(1.2 * GB)


@dataclass(frozen=True, slots=True)
class Gpu:
    """`memory` in bytes, all of it; `free` is what nobody uses now."""

    name: str
    memory: int
    free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """`memory` and `available` in bytes. `vectors`: the widest instructions of the processor."""

    memory: int
    available: int
    cores: int
    vectors: str
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`parameters` in billions (0: the embedded model); `weights` and `cache` in bytes, for all
    GPUs together."""

    profile: Profile
    parameters: float
    weights: int
    cache: int
    gpus: int = 0

    @property
    def memory(self) -> int:
        return self.weights + self.cache


def propose(machine: Machine) -> Proposal:
    """CPU: embedded; 8-24 GB of GPU memory: 7-8 B in 4 bits; from 24 GB on: 30 B; several: vLLM."""
    gpus = sorted((gpu.memory for gpu in machine.gpus if gpu.memory >= 7.5 * GB), reverse=True)
    if len(gpus) > 1:
        # Tensor parallel splits evenly: the smallest card decides.
        total = gpus[-1] * len(gpus)
        size = 70.0 if total >= 64 * GB else 30.0 if total >= 24 * GB else 8.0
        return _reckoned("vllm", size, total, len(gpus))
    if gpus:
        return _reckoned("gpu", 30.0 if gpus[0] >= 23.5 * GB else 8.0, gpus[0], 1)
    if machine.memory < _EMBEDDED:
        return Proposal("none", 0, _EMBEDDED, 0)
    return Proposal("embedded", 0, _EMBEDDED, 0)


def _reckoned(profile: Profile, billions: float, memory: int, gpus: int) -> Proposal:
    weights = int(billions * 1e9 * _BYTES_A_PARAMETER)
    # A tenth for activations and the driver; a cache of more than 24 GB answers nobody sooner.
    cache = max(0, min(int(0.9 * memory) - weights, 24 * GB * gpus))
    return Proposal(profile, billions, weights, cache, gpus)


def measure() -> Machine:
    """Takes milliseconds; a driver that does not answer means no GPU."""
    memory = psutil.virtual_memory()
    return Machine(
        memory=_limit(memory.total),
        available=min(memory.available, _limit(memory.total)),
        cores=_cores(),
        vectors=vectors_of(_flags()),
        gpus=tuple(_gpus()),
    )


def vectors_of(flags: Sequence[str]) -> str:
    known = (
        ("amx_int8", "AMX"),
        ("avx512_vnni", "AVX-512 VNNI"),
        ("avx512f", "AVX-512"),
        ("avx_vnni", "AVX2 VNNI"),
        ("avx2", "AVX2"),
        ("asimddp", "NEON dot product"),
        ("asimd", "NEON"),
        ("avx", "AVX"),
    )
    return next((name for flag, name in known if flag in flags), "")


def _cores() -> int:
    """Those that this process may use: a container often has fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _limit(total: int) -> int:
    """The memory of the container, where there is one that limits it."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return min(total, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):
            continue
    return total


def _flags() -> list[str]:
    if sys.platform == "darwin":
        return ["asimd", "asimddp"] if os.uname().machine == "arm64" else ["avx2"]
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = (line for line in lines if line.startswith(("flags", "Features")))
    return next(found, "").partition(":")[2].split()


def _gpus() -> list[Gpu]:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(number) for number in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _gpu(number: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(number)
    name, memory = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetMemoryInfo(handle)
    text = name.decode() if isinstance(name, bytes) else str(name)
    return Gpu(text, int(memory.total), int(memory.free))
