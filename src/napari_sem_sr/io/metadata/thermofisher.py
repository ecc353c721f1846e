"""Thermo Fisher Scientific (FEI): TIFF tags 34680 and 34682 (ini sections) and 34683 (XML); all in SI units.

Where the sections are not there, as in files of newer software, the XML is read. An Auto Slice & View project
file (``EMProject.emxml``) above the image says how far apart the slices are.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata import xml
from napari_sem_sr.io.metadata.form import (
    LONGEST,
    ImageFile,
    VendorMetadata,
    decoded,
    degrees,
    moment,
    number,
    place,
    positive,
    sections,
    stale,
    text,
)

PROJECT = "EMProject.emxml"
# "Images/SEM Image/slice.tif" lies two folders below the project
_FOLDERS_ABOVE = 4

_MAKER = "Thermo Fisher Scientific (FEI)"


def find(image: ImageFile) -> VendorMetadata | None:
    """Read the sections of the beam that made the image, or the XML.

    Parameters
    ----------
    image
        Of any kind; None comes back where Thermo Fisher did not write it.
    """
    content = image.tag(34682) or image.tag(34680)
    root = xml.parse(image.tag(34683))
    ini = sections(decoded(content)) if content else {}
    if ini:
        return _of_sections(ini, image, root)
    return None if root is None or xml.local(root.tag) != "Metadata" else _of_xml(root, image)


def slice_thickness_nm(image: Path) -> float | None:
    """Return ``ZCutSpacing`` of the Auto Slice & View project that an image belongs to.

    The project lies in a folder above; its data sets are folders of images, and begin the images' names.

    Parameters
    ----------
    image
        Path of the image.
    """
    for folder in list(image.absolute().parents)[:_FOLDERS_ABOVE]:
        project = folder / PROJECT
        try:
            if not project.is_file() or project.stat().st_size > LONGEST:
                continue
            content = project.read_bytes()
        except OSError:
            return None
        root = xml.parse(content)
        names = {
            _letters(xml.value(one, "Name") or "")
            for one in xml.children(xml.at(root, "Datasets"), "Dataset")
        } - {""}
        own = (_letters(image.name), _letters(image.absolute().parent.name))
        if own[1] in names or any(own[0].startswith(name) for name in names):
            return positive(xml.value(root, "ZCutSpacing"), 1e9)
        return None
    return None


def _letters(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _of_sections(
    ini: Mapping[str, Mapping[str, str]], image: ImageFile, root: ElementTree.Element | None
) -> VendorMetadata:
    def section(name: str | None) -> Mapping[str, str]:
        return ini.get(name or "", {})

    active = section("Beam")
    beam = section(text(active.get("Beam")) or "EBeam")
    scan = {**section("Scan"), **section(text(active.get("Scan")) or "EScan")}
    stage = section("Stage")
    instrument = Instrument(
        maker=_MAKER,
        model=text(section("System").get("SystemType")),
        detector=text(section("Detectors").get("Name")),
        beam={"EBeam": "electron", "IBeam": "ion"}.get(active.get("Beam", "")),
        kv=positive(beam.get("HV") or active.get("HV"), 1e-3),
        wd_mm=positive(beam.get("WD"), 1e3),
        beam_current_na=positive(beam.get("BeamCurrent"), 1e9),
        dwell_us=positive(scan.get("Dwell") or scan.get("Dwelltime"), 1e6),
        time=moment(
            f"{section('User').get('Date', '')} {section('User').get('Time', '')}".strip(),
            "%m/%d/%Y %I:%M:%S %p",
        ),
        stage_tilt_deg=degrees(stage.get("StageT") or beam.get("StageTa")),
        stage_mm=place((stage.get(f"Stage{axis}") for axis in "XYZ"), 1e3),
        stage_rotation_deg=degrees(stage.get("StageR")),
        scan_rotation_deg=degrees(beam.get("ScanRotation") or active.get("ScanRotation")),
        tilt_corrected=_yes(beam.get("TiltCorrectionIsOn")),
        tilt_correction_deg=degrees(beam.get("TiltCorrectionAngle")),
        raw={**ini, **({"xml": ElementTree.tostring(root, "unicode")} if root is not None else {})},
    )
    found = VendorMetadata(
        instrument=instrument,
        pixel_nm=(positive(scan.get("PixelHeight"), 1e9), positive(scan.get("PixelWidth"), 1e9)),
        databar_row=_databar(section("Image").get("ResolutionY"), image),
    )
    return _settled(found, stale(image, section("Image").get("ResolutionX")))


def _of_xml(root: ElementTree.Element, image: ImageFile) -> VendorMetadata:
    def said(path: str) -> str | None:
        return xml.value(root, path)

    def of_stage(name: str) -> str | None:
        return said(f"StageSettings/StagePosition/{name}")

    found = VendorMetadata(
        instrument=Instrument(
            maker=_MAKER,
            model=said("Instrument/InstrumentClass"),
            detector=said("Detectors/ScanningDetector/DetectorName"),
            beam={"Electron": "electron", "Ion": "ion"}.get(said("Acquisition/BeamType") or ""),
            kv=positive(said("Optics/AccelerationVoltage"), 1e-3),
            wd_mm=positive(said("Optics/WorkingDistance"), 1e3),
            beam_current_na=positive(said("Optics/BeamCurrent"), 1e9),
            dwell_us=positive(said("ScanSettings/DwellTime"), 1e6),
            time=said("Acquisition/AcquisitionDatetime"),
            stage_tilt_deg=degrees(of_stage("Tilt/Alpha")),
            stage_mm=place((of_stage(axis) for axis in "XYZ"), 1e3),
            stage_rotation_deg=degrees(of_stage("Rotation")),
            scan_rotation_deg=degrees(said("ScanSettings/ScanRotation")),
            tilt_corrected=_yes(said("Optics/SampleTiltCorrectionOn")),
            tilt_correction_deg=degrees(
                said("Optics/SampleTiltCorrectionAngle") or said("Optics/SamplePreTiltAngle")
            ),
            raw={"xml": ElementTree.tostring(root, "unicode")},
        ),
        pixel_nm=(_xml_pixel(root, "Y"), _xml_pixel(root, "X")),
        databar_row=_databar(said("BinaryResult/ImageSize/Y"), image),
    )
    return _settled(found, stale(image, said("BinaryResult/ImageSize/X")))


def _settled(found: VendorMetadata, notices: tuple[str, ...]) -> VendorMetadata:
    """Where the correction was on, its angle is that of the face; the sign only says to which side."""
    if notices:
        found = replace(found, pixel_nm=(None, None), databar_row=None, notices=notices)
    angle = found.instrument.tilt_correction_deg
    on = found.instrument.tilt_corrected
    return replace(found, tilt_deg=abs(angle)) if on and angle else found


def _xml_pixel(root: ElementTree.Element, axis: str) -> float | None:
    size = xml.at(root, f"BinaryResult/PixelSize/{axis}")
    return positive(size.text, 1e9) if size is not None and size.get("unit", "m") == "m" else None


def _databar(rows: str | None, image: ImageFile) -> int | None:
    scanned = number(rows)
    return int(scanned) if scanned and 0 < scanned < image.height else None


def _yes(said: str | None) -> bool | None:
    return {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}.get(
        (said or "").lower()
    )
