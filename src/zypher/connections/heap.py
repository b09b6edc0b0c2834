"""Memory that was freed goes back to the system, where the C library is glibc; elsewhere nothing is done."""

import ctypes

_M_MMAP_THRESHOLD = -3  # mallopt(3)
_LARGE_BYTES = 262_144


def own_pages_for_large_blocks() -> None:
    """From now on a large body or answer has pages of its own, which are gone when it is.

    By default glibc raises its threshold with each large block that is freed, and soon keeps them all.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Let go of what lies free between blocks that are in use. Takes milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
