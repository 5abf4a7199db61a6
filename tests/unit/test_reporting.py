"""Intervals of what is reported."""

from __future__ import annotations

import pytest

from training.faithfulness.guard import cases, report
from training.reporting import share_interval


def test_all_of_a_few_is_not_certainty() -> None:
    low, high = share_interval(46, 46)
    assert low == pytest.approx(0.025 ** (1 / 46))
    assert high == 1.0


def test_the_interval_narrows_with_the_number_of_cases() -> None:
    few, many = share_interval(3, 10), share_interval(300, 1000)
    assert few[0] < many[0] < 0.3 < many[1] < few[1]


def test_every_rate_of_the_guardrail_has_an_interval_around_it() -> None:
    found = report(cases()[::5])
    for rate in found["rates"].values():
        low, high = rate["interval"]
        assert low <= rate["share"] <= high
        assert high - low > 0.01
