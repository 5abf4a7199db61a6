"""With which numbers an exact model calculates, by what the processor can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.kernels import exact_type


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ("fpu avx avx2 fma", "float32"),
        ("fpu avx avx2 avx512_vnni", "int8"),
        ("fpu avx avx2 avx_vnni", "int8"),
        ("fpu sse4_1", "int8"),
    ],
)
def test_floats_only_where_sums_of_bytes_saturate(flags: str, chosen: str, tmp_path: Path) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert exact_type(cpu) == chosen


def test_a_system_that_does_not_tell_keeps_the_default(tmp_path: Path) -> None:
    assert exact_type(tmp_path / "missing") == "int8"
