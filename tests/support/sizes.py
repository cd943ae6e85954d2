"""How much a long test goes through, in the slow tests and in the nightly ones."""

import pytest


def slow_or_nightly(slow: int, nightly: int) -> list:
    """The values of a parameter, each with its mark."""
    return [pytest.param(slow, marks=pytest.mark.slow), pytest.param(nightly, marks=pytest.mark.nightly)]
