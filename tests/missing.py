"""For a test that needs what this machine may not have."""

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """End the test: as failed in CI, where everything is to be there, and as skipped at a desk.

    `reason` is a sentence that says what is missing and how to get it.
    """
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
