"""Damage of every kind to every format: an image or one sentence, soon, in little memory."""

import sys
import time

import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack
from tests.io.read.damage import NAMES, bombs, damaged, write_all

CASES = 600
# What others take pixels from.
SOURCES = ("a.h5", "a.raw")
# 2 s on a machine of one's own; other work may run beside the tests.
SLOWEST = 2.0
MEMORY = 400 << 20


def try_to_read(path):
    """Read, or refuse in one sentence; return whether it was refused, and the processor time."""
    start = time.process_time()
    try:
        stack = read_stack(path)
        assert stack.slice(stack.shape[0] - 1).shape == stack.shape[1:]
        refused = False
    except InputError as error:
        refused = True
        said = str(error).replace(str(path), "")
        assert said
        assert "\n" not in said
        assert "Traceback" not in said
    return refused, time.process_time() - start


def peak_bytes():
    """Most memory held so far; 0 on Windows, where only crashes and times are tested."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("whole"))


@pytest.fixture(autouse=True)
def sources(tmp_path, files):
    """Put beside each file the others that it may take pixels from."""
    for name in SOURCES:
        (tmp_path / name).write_bytes(files[name])


@pytest.mark.filterwarnings("ignore::Warning")
def test_every_whole_file_is_read(tmp_path, files):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert name == "a.raw" or try_to_read(tmp_path / name)[0] is False, name


@pytest.mark.filterwarnings("ignore::Warning")
def test_damage_is_read_or_refused(tmp_path, files):
    random = np.random.default_rng(7)
    before, refused = peak_bytes(), 0
    names = [*sorted(set(files) - set(SOURCES)), "a.h5"]
    (tmp_path / "damaged").mkdir()
    for name in SOURCES:
        (tmp_path / "damaged" / name).write_bytes(files[name])
    for case in range(CASES):
        name = names[case % len(names)]
        path = tmp_path / "damaged" / (f"own {name}" if name in SOURCES else name)
        path.write_bytes(damaged(files[name], random))
        was_refused, seconds = try_to_read(path)
        refused += was_refused
        assert seconds < SLOWEST, f"case {case}: {name}"
    assert refused > CASES / 20
    assert peak_bytes() - before < MEMORY


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize(
    ("name", "content"), bombs(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_bombs(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    before = peak_bytes()
    _, seconds = try_to_read(path)
    assert seconds < SLOWEST
    assert peak_bytes() - before < MEMORY


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", NAMES)
def test_paths_with_odd_characters(tmp_path, files, name):
    folder = tmp_path / name
    folder.mkdir()
    for kind in ("zeiss.tif", "a.png", "a.h5"):
        path = folder / f"{name}.{kind.rpartition('.')[2]}"
        path.write_bytes(files[kind])
        assert try_to_read(path)[0] is False


@pytest.mark.parametrize(
    "path", ["", "a\0b.tif", "x" * 5000, "nothing::0", "::", "/", "/dev/null", "/proc/self/mem"]
)
def test_paths_that_are_none(path):
    with pytest.raises(InputError):
        read_stack(path)
