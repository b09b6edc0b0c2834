"""What `import zypher` offers, and nothing else."""

import subprocess
import sys

import pytest

import zypher

NAMES = [
    "Client",
    "ClientError",
    "InvalidInput",
    "PredictionEnded",
    "PredictionNotFound",
    "PredictionStopped",
    "Rejected",
    "Unavailable",
    "Unreachable",
    "ZypherError",
    "asgi",
    "attempt",
    "cancelled",
    "prediction_id",
    "serve",
    "testing",
]


def test_the_public_names_are_these() -> None:
    assert zypher.__all__ == NAMES
    assert dir(zypher) == sorted([*NAMES, "__version__"])


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_documentation(name: str) -> None:
    assert getattr(zypher, name).__doc__


def test_errors_of_a_client_have_one_root() -> None:
    for name in ("PredictionEnded", "PredictionNotFound", "Rejected", "Unavailable", "Unreachable"):
        assert issubclass(getattr(zypher, name), zypher.ClientError)


def test_any_other_name_is_an_error_that_lists_them() -> None:
    with pytest.raises(AttributeError, match="no attribute 'predict'; the public ones are Client, "):
        _ = zypher.predict  # type: ignore[attr-defined]  # that is the test


def test_the_package_imports_neither_server_nor_client() -> None:
    program = "import sys, zypher; print([name for name in ('httpx', 'msgspec', 'uvicorn') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
