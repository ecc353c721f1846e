from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sem_sr.io import read_stack
from napari_sem_sr.io.units import nm_per, pixel_nm

READERS = Path(__file__).parents[3].parent / "shared" / "data" / "readers"
real_files = pytest.mark.skipif(
    not READERS.is_dir(), reason="needs the shared data beside the clone (data/readers)"
)

# The lines of a SmartSEM tag that are read, as Zeiss instruments write them.
SMARTSEM = """\
0
0
0
1.116e-008
0
AP_IMAGE_PIXEL_SIZE
Image Pixel Size = 11.16 nm
AP_PIXEL_SIZE
Pixel Size = 22.32 nm
AP_ACTUALKV
EHT = 1.50 kV
AP_WD
WD = 5.0 mm
DP_DETECTOR_CHANNEL
Signal A = InLens
AP_IPROBE
I Probe = 250 pA
DP_DWELL_TIME
Dwell Time = 800 ns
"""

JEOL = """\
$SEM_DATA_VERSION 1
$CM_FORMAT JEOL-SEM
$CM_INSTRUMENT JSM-7800F
$CM_DETECTOR_NAME LED
$CM_ACCEL_VOLT 5.00
$CM_FULL_SIZE 1280 960
$$SM_WD 6.2
$$SM_MICRON_BAR 100
$$SM_MICRON_MARKER 1um
"""


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        ("nanometer", 1),
        ("µm", 1e3),
        ("μm", 1e3),
        ("\\u00B5m", 1e3),
        ("microns", 1e3),
        ("Angstrom", 0.1),
        ("inch", 2.54e7),
        ("m", 1e9),
        ("pixel", None),
        ("", None),
        (None, None),
        ("second", None),
    ],
)
def test_units(unit, nm):
    assert nm_per(unit) == nm


@pytest.mark.parametrize("size", [0.0, -3.0, float("nan"), float("inf")])
def test_impossible_sizes_are_unknown(size):
    assert pixel_nm(size, "nm") is None


def save_smartsem(path, text, **options):
    tifffile.imwrite(
        path,
        np.zeros((20, 30), np.uint8),
        metadata=None,
        extratags=[(34118, 2, 0, text, True)],
        **options,
    )


def test_zeiss_smartsem(tmp_path):
    save_smartsem(tmp_path / "a.tif", SMARTSEM, resolution=(96, 96), resolutionunit="INCH")
    stack = read_stack(tmp_path / "a.tif")
    assert stack.voxel_nm == pytest.approx((None, 11.16, 11.16))
    said = stack.instrument
    assert (said.maker, said.detector, said.kv, said.wd_mm) == ("Zeiss", "InLens", 1.5, 5.0)
    assert said.beam_current_na == pytest.approx(0.25)
    assert said.dwell_us == pytest.approx(0.8)
    assert said.raw["AP_WD"] == ("WD", "5.0 mm")


def test_zeiss_without_named_pixel_size_uses_the_head_of_the_tag(tmp_path):
    head = "\n".join(SMARTSEM.splitlines()[:5]) + "\nAP_ACTUALKV\nEHT = 0.80 kV\n"
    save_smartsem(tmp_path / "a.tif", head)
    stack = read_stack(tmp_path / "a.tif")
    assert stack.voxel_nm == pytest.approx((None, 11.16, 11.16))
    assert stack.instrument.kv == pytest.approx(0.8)
    assert stack.instrument.wd_mm is None


def test_a_zeiss_tag_of_nonsense_leaves_everything_unknown(tmp_path):
    save_smartsem(
        tmp_path / "a.tif", "AP_WD\nWD = ?? mm\nAP_IMAGE_PIXEL_SIZE\nImage Pixel Size = 0 nm\n"
    )
    stack = read_stack(tmp_path / "a.tif")
    assert stack.voxel_nm == (None, None, None)
    assert stack.instrument.wd_mm is None


def test_jeol_sidecar(tmp_path):
    Image.fromarray(np.zeros((1024, 1280), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text(JEOL)
    stack = read_stack(tmp_path / "a.png")
    assert stack.voxel_nm == (None, 10.0, 10.0)
    said = stack.instrument
    assert (said.maker, said.model, said.detector) == ("JEOL", "JSM-7800F", "LED")
    assert (said.kv, said.wd_mm) == (5.0, 6.2)
    # in a folder it belongs to its image and is not reported as skipped
    (notice,) = read_stack(tmp_path).notices
    assert "databar from row 960 on" in notice


def test_a_jeol_sidecar_describes_the_full_frame_not_another_size(tmp_path):
    Image.fromarray(np.zeros((480, 640), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text(JEOL)
    stack = read_stack(tmp_path / "a.png")
    assert stack.voxel_nm == (None, None, None)
    assert "'a.txt' describes a frame 1280 px wide" in stack.notices[0]
    assert stack.instrument.maker == "JEOL"


@pytest.mark.parametrize("content", ["", "my notes\n", "$CM_FORMAT other\n", "\0\xff" * 50])
def test_a_text_beside_an_image_need_not_be_a_sidecar(tmp_path, content):
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text(content, encoding="latin1")
    stack = read_stack(tmp_path / "a.png")
    assert stack.instrument.maker is None
    assert stack.voxel_nm == (None, None, None)


def test_a_jeol_sidecar_without_numbers_leaves_the_size_unknown(tmp_path):
    Image.fromarray(np.zeros((20, 1280), np.uint8)).save(tmp_path / "a.png")
    for bar, marker in (("0", "1um"), ("100", "1parsec"), ("x", "1um"), ("100", "")):
        text = JEOL.replace("BAR 100", f"BAR {bar}").replace("MARKER 1um", f"MARKER {marker}")
        (tmp_path / "a.txt").write_text(text)
        assert read_stack(tmp_path / "a.png").voxel_nm == (None, None, None)


@real_files
@pytest.mark.parametrize(
    ("name", "model", "nm", "kv", "wd_mm", "current_na", "dwell_us"),
    [
        ("SEM_Image-SliceImage-001.tif", "Helios G4 PFIB CXe", 385.417, 15.0, 4.02349, 1.6, 0.3),
        ("openfibsem_test_image_2.tif", "Helios G4 PFIB UNSPE", 97.6562, 30.0, 16.5, 0.02, 1.0),
    ],
)
def test_real_thermo_fisher_files(name, model, nm, kv, wd_mm, current_na, dwell_us):
    stack = read_stack(READERS / "thermofisher" / name)
    assert stack.shape == (1, 1024, 1536)
    assert stack.voxel_nm[1:] == pytest.approx((nm, nm))
    # only the first is a slice of the project beside it
    assert stack.voxel_nm[0] == (100.0 if name.startswith("SEM_Image") else None)
    said = stack.instrument
    assert (said.maker, said.model) == ("Thermo Fisher Scientific (FEI)", model)
    assert said.detector == "ETD"
    assert (said.kv, said.wd_mm) == pytest.approx((kv, wd_mm))
    assert (said.beam_current_na, said.dwell_us) == pytest.approx((current_na, dwell_us))
    assert said.raw["System"]["Dnumber"]


@real_files
@pytest.mark.parametrize("name", ["image000", "image001_1280_Micron_only"])
def test_real_jeol_palette_files_with_sidecar(name):
    path = READERS / "jeol" / f"{name}.tif"
    stack = read_stack(path)
    assert stack.shape == (1, 1024, 1280)
    assert stack.voxel_nm == pytest.approx((None, 1e5 / 101, 1e5 / 101))
    assert (stack.instrument.model, stack.instrument.kv) == ("8530F", 7.0)
    # its palette is a grey ramp
    np.testing.assert_array_equal(stack.slice(0), tifffile.imread(path))


@real_files
def test_real_volume_and_16_bit_image():
    volume = read_stack(READERS.parent / "medulla_fibsem" / "training_sample1_250x250x250.tif")
    assert volume.shape == (250, 250, 250)
    # the file says a spacing, which is z, and nothing about y and x
    assert volume.voxel_nm == (10.0, None, None)
    dim = READERS.parent / "superalloy" / "45kx_SE_15kV-etched_0.tif"
    assert read_stack(dim).dtype == np.uint16
    np.testing.assert_array_equal(read_stack(dim).slice(0), tifffile.imread(dim))
