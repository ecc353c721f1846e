"""Thermo Fisher Scientific (FEI): TIFF tags 34680 and 34682, ini sections as tifffile parses them."""

from napari_sem_sr.io.metadata.form import Found, ImageFile, positive, text
from napari_sem_sr.stack import Instrument


def find(image: ImageFile) -> Found | None:
    """Read the sections of the beam that made the image; everything there is in SI units."""
    sections = image.tiff.fei_metadata if image.tiff else None
    if not sections:
        return None

    def section(name: str) -> dict[str, object]:
        values = sections.get(name)
        return values if isinstance(values, dict) else {}

    beam_section, scan = section("Beam"), section("Scan")
    beam = section(text(beam_section.get("Beam")) or "EBeam")
    beam_scan = section(text(beam_section.get("Scan")) or "EScan")
    return Found(
        instrument=Instrument(
            maker="Thermo Fisher Scientific (FEI)",
            model=text(section("System").get("SystemType")),
            detector=text(section("Detectors").get("Name")),
            kv=positive(beam.get("HV") or beam_section.get("HV"), 1e-3),
            wd_mm=positive(beam.get("WD"), 1e3),
            beam_current_na=positive(beam.get("BeamCurrent"), 1e9),
            dwell_us=positive(beam_scan.get("Dwell") or scan.get("Dwelltime"), 1e6),
            raw=dict(sections),
        ),
        pixel_nm=(
            positive(beam_scan.get("PixelHeight") or scan.get("PixelHeight"), 1e9),
            positive(beam_scan.get("PixelWidth") or scan.get("PixelWidth"), 1e9),
        ),
    )
