"""Checks that every network must pass."""

import functools

import pytest

from tests.helpers import checks


@pytest.fixture
def check_copies(tmp_path):
    return functools.partial(checks.check_copies, folder=tmp_path)


@pytest.fixture(params=checks.HALF_PRECISION)
def check_mixed_precision(request):
    return functools.partial(checks.check_mixed_precision, policy=request.param)
