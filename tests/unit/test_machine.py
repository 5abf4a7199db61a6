"""Which profile fits which machine."""

from __future__ import annotations

import pytest

from bot.machine import GB, Gpu, Machine, Profile, measure, propose, vectors_of


def a_machine(*gpus: float, memory: float = 16) -> Machine:
    cards = tuple(Gpu("card", int(size * GB), int(size * GB)) for size in gpus)
    return Machine(int(memory * GB), int(memory * GB), 4, "AVX2", cards)


@pytest.mark.parametrize(
    ("gpus", "profile", "billions"),
    [
        ((), "embedded", 0),
        ((4,), "embedded", 0),
        ((8,), "gpu", 8),
        ((16,), "gpu", 8),
        ((24,), "gpu", 30),
        ((48,), "gpu", 30),
        ((150,), "gpu", 30),
        ((8, 8), "vllm", 8),
        ((16, 16), "vllm", 30),
        ((80, 80), "vllm", 70),
        ((80, 4), "gpu", 30),
        ((80, 8), "vllm", 8),
    ],
)
def test_the_proposal_follows_the_gpus(
    gpus: tuple[float, ...], profile: Profile, billions: float
) -> None:
    found = propose(a_machine(*gpus))
    assert (found.profile, found.parameters) == (profile, billions)


@pytest.mark.parametrize("gpus", [(8,), (12,), (24,), (48,), (141,), (16, 16), (80, 80)])
def test_what_is_proposed_fits_and_leaves_room_for_reading(gpus: tuple[float, ...]) -> None:
    found = propose(a_machine(*gpus))
    assert found.memory <= 0.9 * sum(gpus) * GB
    assert found.cache >= 1 * GB


def test_a_machine_with_too_little_memory_is_told_so() -> None:
    assert propose(a_machine(memory=0.5)).profile == "none"


def test_the_widest_instructions_are_named() -> None:
    assert vectors_of(["avx", "avx2", "avx512f", "avx512_vnni"]) == "AVX-512 VNNI"
    assert vectors_of(["sse"]) == ""


def test_this_machine_can_be_measured() -> None:
    here = measure()
    assert 0 < here.available <= here.memory
    assert here.cores >= 1
