"""Which library multiplies 8-bit numbers: one that does not overflow on the way.

Processors with VNNI add products of bytes in 32 bits. Those without add pairs in 16 bits, and on
AMD CTranslate2 by default takes oneDNN, which lets these sums saturate: vectors of the encoder
then agree with the float model's to .944 where MKL's, at the same speed, agree to .9996
(see ADR-4).
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

_SWITCH = "CT2_USE_MKL"  # read by the library when it first multiplies
_CPU = Path("/proc/cpuinfo")


def prefer_exact_kernels(environ: MutableMapping[str, str] = os.environ, cpu: Path = _CPU) -> None:
    """Before a model is loaded. Somebody's own choice stands."""
    if _SWITCH in environ:
        return
    flags = _flags(cpu)
    if "avx2" in flags and not any("vnni" in flag for flag in flags):
        environ[_SWITCH] = "1"


def _flags(cpu: Path) -> frozenset[str]:
    """What the first processor can do; nothing where the system does not tell (or is no Linux)."""
    try:
        lines = cpu.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    said = next((line for line in lines if line.startswith("flags")), "")
    return frozenset(said.partition(":")[2].split())
