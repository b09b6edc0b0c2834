"""Returns freed memory to the system, where the C library is glibc; elsewhere nothing is done."""

import ctypes

_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE_BYTES = 262_144


def set_mmap_threshold() -> None:
    """From now on a large body or answer has pages of its own, which are gone when it is.

    By default glibc raises its threshold with each large block that is freed, and soon keeps them all.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def trim() -> None:
    """Let go of what lies free between blocks that are in use. Takes milliseconds."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
