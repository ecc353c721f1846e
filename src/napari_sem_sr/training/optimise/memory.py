"""Memory that one step frees, kept for the next one."""

import contextlib
import ctypes
import platform
from collections.abc import Iterator

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MIB = 2**20
# More than the features of a batch.
_KEPT = 512 * _MIB
# Where glibc's own rule, which adapts to what was freed, comes to rest.
_LARGEST_IN_HEAP, _USUALLY_KEPT = 32 * _MIB, 64 * _MIB


@contextlib.contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Let the GNU C library keep what is freed, up to half a GiB, instead of returning it to the system.

    A step frees the features of a batch and asks for as much again at once. Handed back, the system must clear each page
    anew: on the CPU that is an eighth of a step. Without effect where another C library is used.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_THRESHOLD, _LARGEST_IN_HEAP)
    libc.mallopt(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        libc.mallopt(_TRIM_THRESHOLD, _USUALLY_KEPT)
        libc.malloc_trim(0)
