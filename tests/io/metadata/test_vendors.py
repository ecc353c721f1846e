"""One synthetic file per vendor, with the keys that its public description or a published file has."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sem_sr.io import read_stack
from napari_sem_sr.io.metadata.form import decoded, number

ZEISS_FIB = """\
0
0
0
1e-008
AP_IMAGE_PIXEL_SIZE
Image Pixel Size = 10.00 nm
AP_ACTUALKV
EHT = 800 V
AP_WD
WD = 5.1 mm
AP_STAGE_AT_T
Stage at T = 54.0 °
AP_STAGE_AT_X
Stage at X = -12.5 mm
AP_TILT_ANGLE
Tilt Angle = 36.0 °
DP_TILT_CORRN
Tilt Corrn. = On
DP_FIB_X
FIB Imaging = SEM
AP_DATE
Date :14 Mar 2018
AP_TIME
Time :10:22:13
AP_SCANROTATION
Scan Rotation = 180.0 °
"""

HELIOS = """\
[User]
Date=10/09/2023
Time=08:04:59 PM
[System]
SystemType=Helios 5 Hydra CX
[Beam]
HV=2000
ScanRotation=0
Beam=EBeam
Scan=EScan
[EBeam]
HV=2000
WD=0.00396297
BeamCurrent=2e-10
TiltCorrectionIsOn=yes
ScanRotation=0
TiltCorrectionAngle=-0.663242
[EScan]
Dwell=3e-05
PixelWidth=1e-08
PixelHeight=1e-08
[Stage]
StageX=-0.00446336
StageT=0.907553
[Image]
ResolutionX=30
ResolutionY=20
[Detectors]
Name=TLD
"""

XML = """\
<?xml version="1.0"?>
<Metadata xmlns:nil="http://schemas.fei.com/Metadata/v1/2013/07">
  <Instrument><InstrumentClass>Scios 2</InstrumentClass></Instrument>
  <Acquisition><AcquisitionDatetime>2022-12-14T13:53:39</AcquisitionDatetime><BeamType>Electron</BeamType></Acquisition>
  <Optics><AccelerationVoltage>5000</AccelerationVoltage><BeamCurrent>1E-10</BeamCurrent>
    <WorkingDistance>0.007</WorkingDistance><SampleTiltCorrectionOn>false</SampleTiltCorrectionOn></Optics>
  <StageSettings><StagePosition><Tilt><Alpha>0</Alpha></Tilt></StagePosition></StageSettings>
  <ScanSettings><DwellTime>1E-06</DwellTime><ScanRotation>0</ScanRotation></ScanSettings>
  <Detectors><ScanningDetector><DetectorName>T1</DetectorName></ScanningDetector></Detectors>
  <BinaryResult><PixelSize><X unit="m">4E-09</X><Y unit="m">5E-09</Y></PixelSize></BinaryResult>
</Metadata>
"""

PROJECT = """\
<?xml version="1.0" encoding="utf-8"?>
<EMProject xmlns="EMProject">
  <ZCutSpacing>2.5E-08</ZCutSpacing>
  <Datasets><Dataset><Name>SEM Image</Name></Dataset><Dataset><Name>FIB Image</Name></Dataset></Datasets>
</EMProject>
"""

HITACHI = """\
[SemImageFile]
InstructName=SU8230
Format=tif
ImageName=a.tif
Date=2019/03/12
Time=10:22:13
DataSize=30x20
PixelSize=9.921875
SignalName=SE(U)
AcceleratingVoltage=15000 Volt
Magnification=10000
WorkingDistance=8100 um
StagePositionX=25000000
StagePositionY=0
StagePositionT=0
Condition=µ
"""

TESCAN = """\
[MAIN]
AccFrames=1
Company=TESCAN
Date=2019-03-12
Time=10:22:13
Device=SOLARIS X
DeviceModel=S9252X
ImageStripSize=4
PixelSizeX=4.1e-008
PixelSizeY=4.2e-008
[SEM]
Detector=SE
DwellTime=3.2e-06
HV=15000.0
PredictedBeamCurrent=1.0e-010
StageTilt=0.0
StageX=0.001
WD=0.0100
"""

FIBICS = """\
<?xml version="1.0" encoding="iso-8859-1"?>
<Fibics version="1.2"><Application><Date>12 Mar 2019</Date></Application>
<Image><Width>30</Width><Height>20</Height><Machine>Crossbeam 550</Machine><Beam>SEM</Beam><Detector>ESB</Detector></Image>
<Scan><Dwell units="ns">4600</Dwell><FOV_X units="um">0.3</FOV_X><FOV_Y units="um">0.2</FOV_Y>
<ScanRot units="deg">0</ScanRot><Ux>0.01</Ux><Uy>0</Uy><Vx>0</Vx><Vy>-0.011</Vy></Scan>
<Stage><X units="um">-67797</X><Y units="um">1</Y><Z units="um">2</Z><Tilt>0</Tilt></Stage>
<BeamInfo><item name="High Voltage">= 1.50 kV</item><item name="WD">=  5.1 mm</item></BeamInfo></Fibics>
"""


def save(path, code=None, content=None, shape=(20, 30)):
    if isinstance(content, str):
        content = content.encode("latin-1")
    tags = [(code, 2, len(content) + 1, content + b"\0", True)] if code else []
    image = np.random.default_rng(0).integers(20, 200, shape, np.uint8)
    tifffile.imwrite(path, image, metadata=None, extratags=tags)
    return path


def test_zeiss_voltages_in_volts_and_a_corrected_tilt(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 34118, ZEISS_FIB))
    said = stack.instrument
    assert said.kv == pytest.approx(0.8)
    assert said.beam == "electron"
    assert (said.stage_tilt_deg, said.tilt_corrected, said.tilt_correction_deg) == (54, True, 36)
    assert said.stage_mm == (-12.5, None, None)
    assert said.time == "2018-03-14T10:22:13"
    # the microscope stretched y already, and a scan turned by half does not matter
    assert stack.voxel_nm == (None, 10.0, 10.0)
    assert (stack.tilt_deg, stack.sources.tilt) == (36.0, "file")
    assert not stack.notices


def test_zeiss_without_correction_asks(tmp_path):
    text = ZEISS_FIB.replace("Corrn. = On", "Corrn. = Off")
    stack = read_stack(save(tmp_path / "a.tif", 34118, text))
    assert stack.tilt_deg is None
    assert stack.voxel_nm == (None, 10.0, 10.0)
    assert "does not settle how the imaged face stood" in stack.notices[0]
    # the answer undoes foreshortening, and there is nothing left to ask
    told = read_stack(tmp_path / "a.tif", tilt_deg=36.0)
    assert told.voxel_nm == pytest.approx((None, 10 / np.cos(np.deg2rad(36)), 10.0))
    assert (told.sources.tilt, told.sources.y) == ("typed", "file")
    assert not told.notices


def test_zeiss_with_a_rotated_scan(tmp_path):
    text = ZEISS_FIB.replace("Rotation = 180.0", "Rotation = 90.0")
    assert (
        "scan rotated by 90.0 degrees"
        in read_stack(save(tmp_path / "a.tif", 34118, text)).notices[0]
    )


def test_thermo_fisher_tilt_correction_settles_the_tilt(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 34682, HELIOS))
    assert stack.tilt_deg == pytest.approx(38.0, abs=0.01)
    assert stack.voxel_nm == pytest.approx((None, 10, 10))
    said = stack.instrument
    assert (said.beam, said.detector, said.time) == ("electron", "TLD", "2023-10-09T20:04:59")
    assert said.stage_tilt_deg == pytest.approx(52.0, abs=0.01)
    assert not stack.notices


def test_thermo_fisher_databar_below_the_scanned_rows(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 34682, HELIOS, (23, 30)))
    assert "databar from row 20 on" in stack.notices[0]
    assert "0:20,0:30" in stack.notices[0]


def test_thermo_fisher_ion_image_is_named(tmp_path):
    text = HELIOS.replace("Beam=EBeam", "Beam=IBeam").replace("[EBeam]", "[IBeam]")
    stack = read_stack(save(tmp_path / "a.tif", 34682, text))
    assert stack.instrument.beam == "ion"
    assert "ion beam" in stack.notices[0]


def test_thermo_fisher_xml_alone(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 34683, XML))
    assert stack.voxel_nm == pytest.approx((None, 5, 4))
    said = stack.instrument
    assert (said.model, said.detector, said.kv, said.wd_mm) == ("Scios 2", "T1", 5.0, 7.0)
    assert (said.beam_current_na, said.dwell_us, said.tilt_corrected) == (0.1, 1.0, False)
    assert not stack.notices


def test_auto_slice_and_view_project_knows_z(tmp_path):
    images = tmp_path / "Images" / "SEM Image"
    images.mkdir(parents=True)
    (tmp_path / "EMProject.emxml").write_text(PROJECT)
    for count in range(3):
        save(images / f"SEM Image - SliceImage - {count:03}.tif", 34682, HELIOS)
    stack = read_stack(images)
    assert stack.shape[0] == 3
    assert stack.voxel_nm == pytest.approx((25, 10, 10))
    assert (stack.sources.z, stack.sources.y) == ("project", "file")
    # an image that only lies there is not of the project
    other = read_stack(save(tmp_path / "other.tif", 34682, HELIOS))
    assert other.voxel_nm[0] is None


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_hitachi_sidecar(tmp_path, encoding):
    path = save(tmp_path / "a.tif")
    text = HITACHI if encoding != "ascii" else HITACHI.replace("µ", "u")
    (tmp_path / "a.txt").write_text(text, encoding=encoding)
    stack = read_stack(path)
    assert stack.voxel_nm == (None, 9.921875, 9.921875)
    said = stack.instrument
    assert (said.maker, said.model, said.detector) == ("Hitachi", "SU8230", "SE(U)")
    assert (said.kv, said.wd_mm, said.time) == (15.0, 8.1, "2019-03-12T10:22:13")
    assert said.stage_mm == (25.0, 0.0, None)
    # in a folder it belongs to its image
    assert not read_stack(tmp_path).notices


def test_a_hitachi_sidecar_belongs_to_an_image_of_its_size(tmp_path):
    Image.fromarray(np.zeros((10, 15), np.uint8)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text(HITACHI)
    stack = read_stack(tmp_path / "a.png")
    assert stack.voxel_nm == (None, None, None)
    assert "30x20" in stack.notices[0]


@pytest.mark.parametrize("form", ["tag", "tag after binary", "hdr", "tif.hdr"])
def test_tescan(tmp_path, form):
    before = b"\xff\xd8\xff\0binary\0\r\n" if form == "tag after binary" else b""
    if form.startswith("tag"):
        path = save(tmp_path / "a.tif", 50431, before + TESCAN.encode())
    else:
        path = save(tmp_path / "a.tif")
        (tmp_path / ("a.hdr" if form == "hdr" else "a-tif.hdr")).write_text(TESCAN)
    stack = read_stack(path)
    assert stack.voxel_nm == pytest.approx((None, 42, 41))
    said = stack.instrument
    assert (said.maker, said.model, said.beam, said.kv) == ("TESCAN", "SOLARIS X", "electron", 15.0)
    assert (said.wd_mm, said.dwell_us, said.beam_current_na) == pytest.approx((10, 3.2, 0.1))
    assert "databar from row 16 on" in stack.notices[0]


def test_tescan_3d_project_and_ion_image(tmp_path):
    path = save(tmp_path / "a.tif")
    text = TESCAN.replace("PixelSizeY", "PixelSizeZ=5e-8\nPixelSizeY").replace("[SEM]", "[FIB]")
    (tmp_path / "a.hdr").write_text(text + "[3DTomo]\nCrossSectionAngle=90.0\n")
    stack = read_stack(path)
    assert stack.voxel_nm == pytest.approx((50, 42, 41))
    assert stack.instrument.beam == "ion"


def test_fibics_atlas(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 51023, FIBICS))
    assert stack.voxel_nm == pytest.approx((None, 11, 10))
    said = stack.instrument
    assert (said.model, said.detector, said.beam) == ("Crossbeam 550", "ESB", "electron")
    assert (said.kv, said.wd_mm, said.dwell_us) == pytest.approx((1.5, 5.1, 4.6))


def test_fibics_field_of_view_where_the_steps_are_not_there(tmp_path):
    text = FIBICS.replace("<Ux>0.01</Ux><Uy>0</Uy><Vx>0</Vx><Vy>-0.011</Vy>", "")
    assert read_stack(save(tmp_path / "a.tif", 51023, text)).voxel_nm == pytest.approx(
        (None, 10, 10)
    )


def test_fibics_metadata_that_outlived_a_binning(tmp_path):
    stack = read_stack(save(tmp_path / "a.tif", 51023, FIBICS, (10, 15)))
    assert stack.voxel_nm == (None, None, None)
    assert "30 x 20 px" in stack.notices[0]


def test_a_palette_of_greys_with_annotation_colours_is_grey(tmp_path):
    path = tmp_path / "a.tif"
    image = np.arange(200, dtype=np.uint8).reshape(10, 20)
    ramp = np.repeat(np.arange(256, dtype=np.uint16)[None] * 257, 3, axis=0)
    ramp[:, 255] = (65535, 0, 0)
    tifffile.imwrite(path, image, photometric="palette", colormap=ramp, metadata=None)
    stack = read_stack(path)
    np.testing.assert_array_equal(stack.slice(0), image)
    assert "palette of greys with 1 colours" in stack.notices[0]


def test_sidecars_of_a_japanese_windows(tmp_path):
    Image.fromarray(np.zeros((96, 120), np.uint8)).save(tmp_path / "j.tif")
    (tmp_path / "j.txt").write_bytes(
        "$CM_FORMAT JEOL-SEM\r\n$CM_TITLE 試料\r\n$CM_FULL_SIZE 120 90\r\n$$SM_MICRON_BAR 50\r\n"
        "$$SM_MICRON_MARKER 1μm\r\n".encode("shift_jis")
    )
    stack = read_stack(tmp_path / "j.tif")
    assert stack.voxel_nm == (None, 20, 20)
    assert stack.image_rows == (0, 90)
    Image.fromarray(np.zeros((96, 120), np.uint8)).save(tmp_path / "h.tif")
    (tmp_path / "h.txt").write_bytes(
        "[SemImageFile]\r\nSampleName=試料れ\r\nPixelSize=19,84\r\nDataSize=120x96\r\nWorkingDistance=8,1 mm\r\n".encode(
            "shift_jis"
        )
    )
    stack = read_stack(tmp_path / "h.tif")
    assert stack.instrument.raw["SampleName"] == "試料れ"
    assert stack.instrument.wd_mm == pytest.approx(8.1)
    assert stack.voxel_nm == (None, 19.84, 19.84)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("5 µm, 38 °".encode("latin-1"), "5 µm, 38 °"),
        ("Präparat für µm".encode("latin-1"), "Präparat für µm"),
        ("試料れ 1μm".encode("shift_jis"), "試料れ 1μm"),
        ("試料 µm".encode(), "試料 µm"),
        ("試料 µm".encode("utf-16"), "試料 µm"),
    ],
)
def test_text_of_other_countries(content, text):
    assert decoded(content) == text


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("8,1", 8.1), ("19,84", 19.84), ("1.234,5", 1234.5), ("1,234,567", 1234567), ("1,234.5", 1234.5),
        ("1,234", None), ("8.1", 8.1), ("1e-9", 1e-9), ("1,5e3", 1500), ("8,1,2", None), ("", None),
    ],
)  # fmt: skip
def test_numbers_of_other_countries(said, value):
    assert number(said) == value


def test_metadata_of_an_image_of_another_width_have_no_pixel_size(tmp_path):
    for name, code, content in (
        ("fei", 34682, HELIOS.replace("ResolutionX=30", "ResolutionX=60")),
        ("zeiss", 34118, ZEISS_FIB + "\r\nDP_IMAGE_STORE\r\nStore resolution = 60 * 40\r\n"),
    ):
        stack = read_stack(save(tmp_path / f"{name}.tif", code, content))
        assert stack.voxel_nm[1:] == (None, None)
        assert any("an image 60 px wide but is 30 px wide" in n for n in stack.notices)
