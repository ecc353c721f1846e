"""A short form of ``benchmarks/monkey.py``: random actions end without a crash, a traceback or a frozen second."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "monkey.py"
ACTIONS = 60
# everything is painted without a GPU here, on a machine that does other things as well
FROZEN_S = 8.0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [1])
def test_whatever_is_pressed_napari_lives_and_says_nothing_it_did_not_mean_to(seed: int) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            str(SCRIPT),
            "--seed",
            str(seed),
            "--actions",
            str(ACTIONS),
            "--frozen",
            str(FROZEN_S),
        ],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
