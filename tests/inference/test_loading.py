"""PyTorch is loaded without holding up other threads."""

import subprocess
import sys
from pathlib import Path

import pytest

# a thread counts how often it was served while the libraries were loaded
COUNT = """
import sys, threading, time
from napari_sem_sr.inference.loading import preload_torch
served, done = 0, threading.Event()
def count():
    global served
    while not done.wait(0.001):
        served += 1
thread = threading.Thread(target=count)
thread.start()
time.sleep(0.05)
before, began = served, time.perf_counter()
preload_torch()
seconds, ticks = time.perf_counter() - began, served - before
done.set(); thread.join()
assert "torch" not in sys.modules
mapped = "libtorch_cpu" in open("/proc/self/maps").read()
import torch
assert float(torch.ones(3).sum()) == 3
preload_torch()
print(mapped, seconds, ticks)
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="looks at what is mapped into memory as Linux says it"
)
def test_other_threads_go_on_while_the_libraries_are_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNT], capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    mapped, seconds, ticks = done.stdout.split()
    assert mapped == "True"
    # one tick a millisecond, were the machine otherwise idle
    assert int(ticks) > 20 * float(seconds)
