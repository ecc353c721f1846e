"""The functions that the package offers: what docs/python.md shows is run line by line."""

import doctest
import logging
import re
from pathlib import Path

import numpy as np
import pytest

import napari_sem_sr
from napari_sem_sr.degradation.degrade import degrade_stack
from napari_sem_sr.io import write_tiff
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Working folder with the files that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    hr = medulla_hr().cropped(slices=(0, 3), region=((0, 128), (0, 128)))
    write_tiff(hr, Path("hr.tif"), provenance={"synthetic": False})
    write_tiff(degrade_stack(hr, 4), Path("lr.tif"), provenance={"synthetic": False})
    Path("teachers").mkdir()
    whole = np.asarray(medulla_hr())
    for number in range(6):
        y, x = 124 * (number % 2), 124 * (number // 2 % 2)
        image = whole[4 * number, y : y + 124, x : x + 124]
        stack = SemStack.from_array(image, "teacher", voxel_nm=(None, 10.0, 10.0))
        write_tiff(stack, Path(f"teachers/field{number}_a.tif"), provenance={"synthetic": False})
    return tmp_path


def test_the_page_runs_as_it_stands(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(files / "data"))
    text = re.sub(r"^```.*$", "", PAGE.read_text(), flags=re.MULTILINE)
    page = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(page.examples) > 15
    told: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(page, out=told.append)
    assert not told, "".join(told)


def test_notices_are_logged(files: Path, caplog: pytest.LogCaptureFixture) -> None:
    (files / "teachers" / "notes.txt").write_text("not an image")
    with caplog.at_level(logging.WARNING, "napari_sem_sr"):
        napari_sem_sr.read_teachers("teachers")
    assert "notes.txt" in caplog.text


def test_arrays_of_any_shape_are_upscaled_in_their_dtype() -> None:
    model = napari_sem_sr.load_model("sem-x4-fast")
    stack = np.random.default_rng(0).integers(0, 60000, (2, 16, 20)).astype(np.uint16)
    both = model.upscale(stack, device="cpu", precision="fp32", sharpness=0)
    assert both.shape == (2, 64, 80) and both.dtype == np.uint16
    one = model.upscale(stack[0], device="cpu", precision="fp32", sharpness=0)
    assert one.shape == (64, 80)


def test_a_shell_completes_the_names_and_knows_the_version() -> None:
    assert {"upscale", "train", "check", "read_teachers", "__version__"} <= set(dir(napari_sem_sr))
    assert re.match(r"\d+\.\d+", napari_sem_sr.__version__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = napari_sem_sr.nonsense


def test_a_stack_is_an_array() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    stack = SemStack.from_array(array, "s")
    np.testing.assert_array_equal(np.asarray(stack), array)
    assert np.asarray(stack, np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="copy"):
        np.array(stack, copy=False)
