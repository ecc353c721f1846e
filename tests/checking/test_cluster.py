"""The same check with the workers of a Dask scheduler."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tifffile
import torch

from napari_sem_sr.checking import check
from napari_sem_sr.checking.cluster import iter_check_on
from napari_sem_sr.events import drain
from napari_sem_sr.inference.runner import UpscaleSettings, upscale
from napari_sem_sr.io import read_stack
from napari_sem_sr.model.bundle import Model
from tests.checking.conftest import specimen, truth_of

distributed = pytest.importorskip("distributed", reason="needs napari-sem-sr[cluster]")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As each worker has: sums of another order of terms differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def files(folder: Path) -> dict[str, bytes]:
    """All but the page, which says when it was made."""
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.suffix != ".html"
    }


def test_the_files_are_those_of_a_check_on_one_machine(address: str, model: Model, tmp_path: Path):
    lr = truth_of(specimen((5, 96, 128)), (20.0, 10.0, 10.0)).lr
    tifffile.imwrite(tmp_path / "lr.tif", lr.data.compute())
    lr = read_stack(tmp_path / "lr.tif")
    settings = UpscaleSettings(device="cpu", precision="fp32", sharpness=1.0)
    upscale(lr, tmp_path / "sr.zarr", model, settings)
    sr = read_stack(tmp_path / "sr.zarr")
    alone = check(lr, sr, model=model, out=tmp_path / "alone", without=[1])
    together = drain(
        iter_check_on(address, lr, sr, model=model, out=tmp_path / "together", without=[1])
    )
    assert together == alone
    assert files(tmp_path / "together") == files(tmp_path / "alone")
    quick = drain(iter_check_on(address, lr, sr, model=model, out=tmp_path / "quick", every=2))
    assert quick.looked_at == [0, 2, 4]
    rest = drain(iter_check_on(address, lr, sr, model=model, out=tmp_path / "quick", resume=True))
    assert rest.looked_at == [0, 1, 2, 3, 4]
