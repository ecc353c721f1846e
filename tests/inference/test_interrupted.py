"""Kill it, cancel it, fill the disk: what is done stays done, and the end is the same, byte for byte."""

import errno
import gc
import os
import random
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Notice, SliceDone, TileDone
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.zarr_layout import slice_file
from tests.inference.specimens import collected, files, model, stack

FP32 = UpscaleSettings(device="cpu", precision="fp32", tile=16)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files of a run over `stack(8, (40, 60))` that nothing disturbed."""
    output = tmp_path_factory.mktemp("uninterrupted") / "sr.zarr"
    upscale(stack(8, (40, 60)), output, model(), FP32)
    return files(output)


@pytest.mark.parametrize("seed", range(3))
def test_killed_and_resumed_is_the_same_as_run_through(
    tmp_path: Path, uninterrupted: dict[str, bytes], seed: int
) -> None:
    output = tmp_path / "sr.zarr"
    events = random.Random(seed).randint(1, 60)
    script = Path(__file__).parent / "upscale_process.py"
    with subprocess.Popen(
        [sys.executable, str(script), str(output), "8"], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while events:
            line = process.stdout.readline()
            assert line
            # how often a slow machine says that it still works is no measure
            events -= line != b"Progress\n"
        process.kill()
    assert process.returncode != 0
    done = ZarrStackWriter.reopen(output).done_slices()
    result = upscale(stack(8, (40, 60)), output, model(), FP32, resume=True)
    assert result.computed == 8 - len(done)
    assert files(output) == uninterrupted


@pytest.mark.parametrize("kind", [TileDone, SliceDone])
@pytest.mark.parametrize("after", [1, 7])
def test_closing_the_generator_leaves_what_resume_continues(
    tmp_path: Path, uninterrupted: dict[str, bytes], kind: type[Event], after: int
) -> None:
    work = iter_upscale(stack(8, (40, 60)), tmp_path / "sr.zarr", model(), FP32)
    while after:
        after -= isinstance(next(work), kind)
    work.close()
    assert b'"complete": false' in files(tmp_path / "sr.zarr")["zarr.json"]
    upscale(stack(8, (40, 60)), tmp_path / "sr.zarr", model(), FP32, resume=True)
    assert files(tmp_path / "sr.zarr") == uninterrupted


@pytest.mark.parametrize("seed", range(6))
def test_a_full_disk_is_one_sentence_and_resumable(
    tmp_path: Path, uninterrupted: dict[str, bytes], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = random.Random(seed).randint(0, 12)
    intact, calls = os.fsync, iter(range(1000))

    def full(descriptor: int) -> None:
        if next(calls) >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        intact(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="disk is full") as caught:
            upscale(stack(8, (40, 60)), tmp_path / "sr.zarr", model(), FP32)
    assert "\n" not in str(caught.value)
    upscale(stack(8, (40, 60)), tmp_path / "sr.zarr", model(), FP32, resume=True)
    assert files(tmp_path / "sr.zarr") == uninterrupted


def test_resume_begins_where_nothing_is_there(
    tmp_path: Path, uninterrupted: dict[str, bytes]
) -> None:
    upscale(stack(8, (40, 60)), tmp_path / "sr.zarr", model(), FP32, resume=True)
    assert files(tmp_path / "sr.zarr") == uninterrupted


def test_resume_of_a_finished_output_changes_nothing(tmp_path: Path) -> None:
    upscale(stack(2), tmp_path / "sr.zarr", model(), FP32)

    def state() -> dict[str, tuple[bytes, int]]:
        kept = files(tmp_path)
        return {name: (kept[name], (tmp_path / name).stat().st_mtime_ns) for name in kept}

    before = state()
    events, result = collected(
        iter_upscale(stack(2), tmp_path / "sr.zarr", model(), UpscaleSettings(), resume=True)
    )
    assert (result.total, result.computed, result.deviation) == (2, 0, None)
    assert not any(isinstance(e, TileDone) for e in events)
    assert state() == before


@pytest.mark.parametrize("damage", [Path.unlink, lambda f: f.write_bytes(f.read_bytes()[:-9])])
@pytest.mark.parametrize("level", [0, 1])
def test_a_finished_output_that_lost_slices_is_made_whole(
    tmp_path: Path, damage: Callable[[Path], object], level: int
) -> None:
    lr, output = stack(3, (20, 140)), tmp_path / "sr.zarr"
    upscale(lr, output, model(), FP32)
    whole = files(output)
    damage(slice_file(output, level, 1))
    events, result = collected(iter_upscale(lr, output, model(), FP32, resume=True))
    assert result.computed == 1
    assert any(isinstance(e, Notice) and "slice 1" in e.message for e in events)
    assert files(output) == whole


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": replace(FP32, sharpness=0.25)}, r"sharpness \(0.5 then, 0.25 now\)"),
        ({"settings": replace(FP32, precision="bf16")}, r"precision \(fp32 then, bf16 now\)"),
        ({"settings": replace(FP32, tile=32)}, r"tile \(16 then, 32 now\)"),
        ({"settings": replace(FP32, slices=(0, 3))}, r"slices \(\[0, 4\] then, \[0, 3\] now\)"),
        ({"settings": replace(FP32, region=((0, 9), (0, 9)))}, "region"),
        ({"model": model(content_hash="blake2b:other")}, "the model differs"),
        ({"model": model(factor=2)}, r"factor \(4 then, 2 now\)"),
        ({"stack": stack(4, (33, 42))}, "the input"),
        ({"stack": replace(stack(4), voxel_nm=(20.0, 10.0, 10.0))}, "the voxel size"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_resume_with_something_else_names_it_and_touches_nothing(
    tmp_path: Path, change: dict[str, Any], named: str, finished: bool
) -> None:
    work = iter_upscale(stack(4), tmp_path / "sr.zarr", model(), FP32)
    for event in work:
        if isinstance(event, SliceDone) and not finished:
            break
    work.close()
    before = files(tmp_path)
    given = {"stack": stack(4), "model": model(), "settings": FP32} | change
    with pytest.raises(OutputError, match=named):
        upscale(
            given["stack"], tmp_path / "sr.zarr", given["model"], given["settings"], resume=True
        )
    assert files(tmp_path) == before


def test_resume_keeps_what_was_chosen_automatically(tmp_path: Path) -> None:
    work = iter_upscale(stack(4), tmp_path / "sr.zarr", model(), FP32)
    for event in work:
        if isinstance(event, SliceDone):
            break
    work.close()
    result = upscale(stack(4), tmp_path / "sr.zarr", model(), UpscaleSettings(), resume=True)
    assert (result.provenance["tile"], result.provenance["precision"]) == (16, "fp32")


def test_memory_does_not_grow_with_the_stack(tmp_path: Path) -> None:
    peaks = []
    for slices in (8, 48):
        lr = stack(slices, (64, 64))
        gc.collect()
        tracemalloc.start()
        upscale(lr, tmp_path / f"{slices}.zarr", model(), replace(FP32, tile=64))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    one_sr_slice = 256 * 256
    assert peaks[1] - peaks[0] < 16 * one_sr_slice  # 40 more slices were made
