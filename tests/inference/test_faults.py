"""A few of the faults and races of benchmarks/robustness/writers.py; all of them are counted in docs/robustness.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked, and killed by signals")
def test_no_failing_call_no_kill_and_no_second_writer_loses_a_slice() -> None:
    bench = ROOT / "benchmarks" / "robustness" / "writers.py"
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(bench), "--short", "--races", "6"],
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["failures"] == []
    assert found["cases"] == 20
    assert sum(found["races"].values()) == 6
