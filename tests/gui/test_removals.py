"""napari survives layers that go while they are compared, by our buttons or by its own list."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.gui import removals


@pytest.mark.timeout(600)
def test_layers_of_a_multiscale_sr_may_go_at_any_time_during_a_comparison(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", removals.__file__, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    assert "all drawn" in ended.stdout
    assert "Traceback" not in ended.stderr, ended.stderr[-3000:]
