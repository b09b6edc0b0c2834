"""Returns freed memory to the system, where the C library is glibc; elsewhere nothing is done."""

import ctypes

_M_TRIM_THRESHOLD = -1  # mallopt(3)
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 524_288  # the pieces in which a body arrives are smaller
_FREE_BYTES = 2_097_152  # kept at the end of the heap: the piece that is freed makes room for the next


def set_mmap_threshold() -> None:
    """From now on a large body or answer has pages of its own, which are gone when it is.

    By default glibc raises its threshold with each large block that is freed, and soon keeps them all.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _FREE_BYTES)


def trim() -> None:
    """Let go of what lies free between blocks that are in use. Takes milliseconds."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
