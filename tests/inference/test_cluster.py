"""A cluster of processes writes the same bytes as one machine, whoever is killed on the way."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_sem_sr.errors import InputError, ModelError, OutputError
from napari_sem_sr.events import SliceDone
from napari_sem_sr.inference import block
from napari_sem_sr.inference.cluster import iter_upscale_on, shares
from napari_sem_sr.inference.ledger import UNREADABLE, Ledger
from napari_sem_sr.inference.runner import UpscaleSettings, upscale
from napari_sem_sr.inference.workers import connected
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.model.bundle import Model, load_bundle, save_model
from tests.conftest import card
from tests.inference.specimens import collected, files, image, network

distributed = pytest.importorskip("distributed", reason="needs napari-sem-sr[cluster]")

SLICES = 24
SETTINGS = UpscaleSettings(device="cpu", precision="fp32", tile=32, sharpness=0.5)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two worker processes that are restarted when they die."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as made:
        yield made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk that all share, with a stack of files and a model on it."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "lr").mkdir()
    for z in range(SLICES):
        # one histogram for all, so that the range is known without any one of them
        tifffile.imwrite(folder / "lr" / f"slice{z}.tif", np.roll(image((60, 80)), 3 * z))
    weights = [network(seed=seed).state_dict() for seed in (1, 2)]
    known = card()
    architecture = known.architecture.model_copy(
        update={"channels": 8, "blocks": 2, "tail_channels": 4}
    )
    known = known.model_copy(update={"architecture": architecture})
    save_model(folder / "model", known, weights[0], weights[1], {"features": np.ones((2, 3))})
    return folder


@pytest.fixture(scope="module")
def model(place: Path) -> Model:
    return load_bundle(place / "model")


@pytest.fixture(scope="module")
def alone(place: Path, model: Model) -> dict[str, bytes]:
    """Files of a run on one machine."""
    upscale(read_stack(place / "lr"), place / "alone.zarr", model, SETTINGS)
    return files(place / "alone.zarr")


def test_the_same_bytes_as_one_machine(
    cluster: Any, place: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    address = cluster.scheduler_address
    work = iter_upscale_on(address, read_stack(place / "lr"), tmp_path / "sr.zarr", model, SETTINGS)
    events, result = collected(work)
    assert files(tmp_path / "sr.zarr") == alone
    done = [e for e in events if isinstance(e, SliceDone)]
    assert sorted(e.slice for e in done) == list(range(SLICES))
    assert [e.done for e in done] == list(range(1, SLICES + 1))
    assert (result.total, result.computed) == (SLICES, SLICES)
    assert all(stage.seconds > 0 for stage in result.stages)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
def test_a_worker_that_is_killed_loses_nothing(
    cluster: Any, place: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    with distributed.Client(cluster, set_as_default=False) as client:
        pids = client.run(os.getpid)
    work = iter_upscale_on(
        cluster.scheduler_address, read_stack(place / "lr"), tmp_path / "sr.zarr", model, SETTINGS
    )
    with closing(work):
        for event in work:
            if isinstance(event, SliceDone) and pids:
                os.kill(pids.popitem()[1], signal.SIGKILL)
                pids.clear()
    assert files(tmp_path / "sr.zarr") == alone


def test_a_client_that_is_stopped_goes_on_with_resume(
    cluster: Any, place: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    given = (cluster.scheduler_address, read_stack(place / "lr"), tmp_path / "sr.zarr", model)
    work = iter_upscale_on(*given, SETTINGS)
    next(e for e in work if isinstance(e, SliceDone))
    # neither another client nor this machine alone may go on with what workers are writing
    with pytest.raises(OutputError, match=f"process {os.getpid()}"):
        collected(iter_upscale_on(*given, SETTINGS, resume=True))
    with pytest.raises(OutputError, match=f"process {os.getpid()}"):
        upscale(given[1], given[2], model, SETTINGS, resume=True)
    work.close()
    kept = len(ZarrStackWriter.reopen(tmp_path / "sr.zarr").done_slices())
    assert 0 < kept < SLICES
    _, result = collected(iter_upscale_on(*given, SETTINGS, resume=True))
    assert 0 < result.computed < SLICES
    assert files(tmp_path / "sr.zarr") == alone


def test_an_unreadable_slice_is_named_and_done_by_one_machine_once_mended(
    cluster: Any, place: Path, model: Model, alone: dict[str, bytes], tmp_path: Path
) -> None:
    damaged = place / "lr" / "slice7.tif"
    whole = damaged.read_bytes()
    stack = read_stack(place / "lr")
    output = tmp_path / "sr.zarr"
    damaged.write_bytes(whole[:300])
    try:
        with pytest.raises(InputError, match=rf"Slice 7 .*{SLICES - 1} of {SLICES} are done"):
            collected(iter_upscale_on(cluster.scheduler_address, stack, output, model, SETTINGS))
    finally:
        damaged.write_bytes(whole)
    mended = upscale(read_stack(place / "lr"), output, model, SETTINGS, resume=True)
    assert mended.computed == 1
    assert files(output) == alone


def test_no_scheduler_is_one_sentence(
    place: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sem_sr.inference.workers.CONNECT_SECONDS", 0.5)
    work = iter_upscale_on(
        "tcp://127.0.0.1:9", read_stack(place / "lr"), tmp_path / "sr.zarr", model, SETTINGS
    )
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        next(work)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_lost_its_claim_writes_nothing(
    place: Path, alone: dict[str, bytes], tmp_path: Path
) -> None:
    output = tmp_path / "sr.zarr"
    ZarrStackWriter.create(output, like=read_stack(place / "alone.zarr"), provenance={})
    block.claim(output, "first")
    assert block.holds_claim(output, "first")
    block.claim(output, "second")
    assert not block.holds_claim(output, "first")
    # a worker that shares the output leaves the claim, a run that has it alone ends it
    ZarrStackWriter.reopen(output, shared=True)
    assert block.holds_claim(output, "second")
    ZarrStackWriter.reopen(output)
    assert not block.holds_claim(output, "second")


def test_a_worker_that_finds_another_model_refuses(place: Path, model: Model) -> None:
    with pytest.raises(ModelError, match="another model"):
        block.model_at(block.ModelPlace(place / "model", "blake2b:other"))
    with pytest.raises(ModelError, match="does not see the model"):
        block.model_at(block.ModelPlace(place / "nowhere", model.content_hash))


def test_every_worker_gets_some_and_no_block_has_gaps() -> None:
    assert [s.slices for s in shares((0, 1, 2, 3), 2)] == [(0,), (1,), (2,), (3,)]
    assert [s.slices for s in shares((0, 1, 2, 5, 6, 9, 10, 11), 1)] == [
        (0, 1, 2),
        (5, 6),
        (9, 10, 11),
    ]
    assert max(len(s.slices) for s in shares(tuple(range(1000)), 2)) == 4


def test_what_several_writers_know_is_read_together(tmp_path: Path) -> None:
    one, two, client = (Ledger(tmp_path, name) for name in (".one", ".two", ""))
    one.note(1, "aa")
    two.note(2, "bb")
    two.note(2, "cc")
    client.note(3, UNREADABLE)
    client.note(4, UNREADABLE)
    two.note(4, "dd")
    assert Ledger(tmp_path).read() == {1: "aa", 2: "cc", 3: UNREADABLE, 4: "dd"}
    Ledger(tmp_path).remove()
    assert list(tmp_path.iterdir()) == []


def test_a_secured_scheduler_without_certificates_is_one_sentence() -> None:
    with (
        pytest.raises(
            InputError, match=r"requires certificates; name them in Dask's configuration"
        ),
        connected("tls://127.0.0.1:1"),
    ):
        pass
