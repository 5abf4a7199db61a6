"""With which numbers a model that must be exact calculates on this processor.

Processors with VNNI add products of bytes in 32 bits. Those with AVX2 alone add pairs of them in
16 bits, and the library lets these sums saturate (see ADR-4).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_CPU = Path("/proc/cpuinfo")


def exact_type(cpu: Path = _CPU) -> Literal["int8", "float32"]:
    """8-bit numbers, but for a processor on which they are not what they should be."""
    flags = _flags(cpu)
    saturates = "avx2" in flags and not any("vnni" in flag for flag in flags)
    return "float32" if saturates else "int8"


def _flags(cpu: Path) -> frozenset[str]:
    """What the first processor can do; nothing where the system does not tell (or is no Linux)."""
    try:
        lines = cpu.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    said = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(said.partition(":")[2].split())
