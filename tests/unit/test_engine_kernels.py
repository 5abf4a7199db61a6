"""Which library multiplies, by what the processor can do."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.kernels import prefer_exact_kernels


@pytest.mark.parametrize(
    ("flags", "chosen"),
    [
        ("fpu avx avx2 fma", {"CT2_USE_MKL": "1"}),
        ("fpu avx avx2 avx512_vnni", {}),
        ("fpu avx avx2 avx_vnni", {}),
        ("fpu sse4_1", {}),
    ],
)
def test_only_where_sums_would_saturate_another_library_is_taken(
    flags: str, chosen: dict[str, str], tmp_path: Path
) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    environ: dict[str, str] = {}
    prefer_exact_kernels(environ, cpu)
    assert environ == chosen


def test_somebody_s_own_choice_stands(tmp_path: Path) -> None:
    cpu = tmp_path / "cpuinfo"
    cpu.write_text("flags : avx2\n")
    environ = {"CT2_USE_MKL": "0"}
    prefer_exact_kernels(environ, cpu)
    assert environ == {"CT2_USE_MKL": "0"}


def test_a_system_that_does_not_tell_is_left_alone(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    prefer_exact_kernels(environ, tmp_path / "missing")
    assert environ == {}
