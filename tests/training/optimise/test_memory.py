"""What a step frees is there for the next one."""

import platform

import numpy as np
import pytest

from napari_sem_sr.training.optimise.memory import freed_memory_kept

resource = pytest.importorskip("resource", reason="Windows does not count page faults so")

PAGES = 16 * 2**20 // resource.getpagesize()


def faults(rounds: int) -> float:
    """Pages of 16 MiB that the system had to provide, as a share, per round of taking and giving back."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(rounds):
        np.ones(2 * 2**20)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / (rounds * PAGES)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other rules")
def test_memory_is_taken_from_the_system_once() -> None:
    with freed_memory_kept():
        faults(1)
        assert faults(20) < 0.1


def test_it_ends_with_an_error_inside() -> None:
    with pytest.raises(ValueError, match="inside"), freed_memory_kept():
        raise ValueError("inside")
