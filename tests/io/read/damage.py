"""Files of every format that is read, whole and damaged in the ways that happen and in those that do not."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image

from tests.io.metadata import test_vendors as vendors
from tests.io.read import test_read_volumes as volumes

PIXELS = np.random.default_rng(0).integers(0, 65535, (3, 40, 50), np.uint16)
SMALL = (PIXELS[0] >> 8).astype(np.uint8)
# What people call files; NUL and / cannot be in a name.
NAMES = (
    "plain", "with blank", "ümläut", "日本語", "a::b", "%20", "quote'\"", "new\nline", "-dash", "#hash?", "[0-9]*",
    ".hidden", "tab\t", "emoji🔬", "a" * 200, "..x", "dollar$HOME", "back\\slash", "trailing ",
)  # fmt: skip


def write_all(folder: Path) -> dict[str, bytes]:
    """Return one small whole file of every kind, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}

    def tiff(name: str, **options: object) -> None:
        stream = io.BytesIO()
        tifffile.imwrite(stream, PIXELS, **{"photometric": "minisblack"} | options)
        files[name] = stream.getvalue()

    tiff("plain.tif", metadata=None)
    tiff("big.tif", bigtiff=True)
    tiff("motorola.tif", byteorder=">")
    tiff("deflate.tif", compression="zlib")
    tiff("lzw.tif", compression="lzw", tile=(16, 16))
    tiff("imagej.tif", imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 0.1})
    tiff("ome.tif", ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 2.0})
    for name, code, content in (
        ("zeiss", 34118, vendors.ZEISS_FIB),
        ("helios", 34682, vendors.HELIOS),
        ("xml", 34683, vendors.XML),
        ("tescan", 50431, vendors.TESCAN),
        ("fibics", 51023, vendors.FIBICS),
    ):
        path = vendors.save(folder / f"{name}.tif", code, content)
        files[path.name] = path.read_bytes()
    for kind in ("PNG", "BMP", "JPEG"):
        stream = io.BytesIO()
        Image.fromarray(SMALL).save(stream, format=kind)
        files[f"a.{kind.lower()}"] = stream.getvalue()
    for path in (
        volumes.write_mrc(folder / "a.mrc"),
        volumes.write_nrrd(folder / "a.nrrd"),
        volumes.write_nrrd(folder / "zipped.nrrd", encoding="gzip"),
        volumes.write_dm(folder / "a.dm3", version=3),
        volumes.write_dm(folder / "a.dm4", version=4),
    ):
        files[path.name] = path.read_bytes()
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("raw", data=PIXELS, chunks=(2, 20, 20), compression="gzip")
    files["a.h5"] = (folder / "a.h5").read_bytes()
    _write_hdf5_of_programs(folder, files)
    tiff("white.tif", photometric="miniswhite")
    with tifffile.TiffWriter(folder / "appended.tif") as writer:
        for image in PIXELS:
            writer.write(image, photometric="minisblack", compression="zlib")
    files["appended.tif"] = (folder / "appended.tif").read_bytes()
    detached = (
        b"NRRD0004\ntype: uint8\ndimension: 2\nsizes: 50 40\nencoding: raw\ndata file: a.raw\n\n"
    )
    files["a.raw"], files["a.nhdr"] = SMALL.tobytes(), detached
    return files


def _write_hdf5_of_programs(folder: Path, files: dict[str, bytes]) -> None:
    """Add HDF5 as BigDataViewer, Imaris, ilastik and EMD write it, and one whose pixels are in another."""
    with h5py.File(folder / "bdv.h5", "w") as file:
        file["s00/resolutions"] = np.ones((1, 3))
        file["t00000/s00/0/cells"] = PIXELS.view(np.int16)
    with h5py.File(folder / "a.ims", "w") as file:
        channel = file.create_group("DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
        channel["Data"] = PIXELS
        for axis, size in zip("ZYX", PIXELS.shape, strict=True):
            channel.attrs[f"ImageSize{axis}"] = np.array(list(str(size)), "S1")
    with h5py.File(folder / "ilastik.h5", "w") as file:
        written = file.create_dataset("exported_data", data=PIXELS[..., None])
        written.attrs["axistags"] = (
            '{"axes": [{"key": "z"}, {"key": "y"}, {"key": "x"}, {"key": "c"}]}'
        )
    with h5py.File(folder / "velox.emd", "w") as file:
        file["Data/Image/a/Data"] = np.moveaxis(PIXELS, 0, -1)
    layout = h5py.VirtualLayout(PIXELS.shape, PIXELS.dtype)
    layout[:] = h5py.VirtualSource("a.h5", "raw", PIXELS.shape)
    with h5py.File(folder / "virtual.h5", "w") as file:
        file.create_virtual_dataset("all", layout)
    for name in ("bdv.h5", "a.ims", "ilastik.h5", "velox.emd", "virtual.h5"):
        files[name] = (folder / name).read_bytes()


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Change bytes, most of them where headers lie; write absurd numbers; cut the end off; repeat or lose a part."""
    data = bytearray(content)
    way = random.integers(5)
    if way == 0:
        return bytes(data[: random.integers(len(data))])
    if way == 1:
        # absurd numbers where numbers are
        for _ in range(random.integers(1, 4)):
            place = int(random.integers(0, min(len(data), 1500)))
            value = random.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**16, 2**24])
            data[place : place + 4] = struct.pack("<I", int(value))
        return bytes(data)
    if way == 2:
        start, length = int(random.integers(len(data))), int(random.integers(1, 200))
        return bytes(data[:start] + data[start + length :])
    if way == 3:
        start, length = int(random.integers(len(data))), int(random.integers(1, 200))
        return bytes(data[:start] + data[start : start + length] * 3 + data[start + length :])
    edges = ((0, 400), (0, len(data)), (max(0, len(data) - 1500), len(data)))
    first, end = edges[random.integers(3)]
    for place in random.integers(first, min(end, len(data)), random.integers(1, 8)):
        data[place] = random.choice([0, 1, 127, 128, 255])
    return bytes(data)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Yield small files that promise or repeat far more than they hold."""
    order = "<"
    head = struct.pack(f"{order}2sHI", b"II", 42, 8)

    def tag(code: int, kind: int, count: int, value: int) -> bytes:
        return struct.pack(f"{order}HHII", code, kind, count, value)

    def page(tags: list[bytes], following: int = 0) -> bytes:
        return (
            struct.pack(f"{order}H", len(tags))
            + b"".join(tags)
            + struct.pack(f"{order}I", following)
        )

    size = [tag(256, 3, 1, 30), tag(257, 3, 1, 20), tag(258, 3, 1, 8), tag(262, 3, 1, 1)]
    strip = [tag(273, 4, 1, 8), tag(277, 3, 1, 1), tag(278, 4, 1, 20), tag(279, 4, 1, 600)]
    yield "65535 tags.tif", head + page([tag(65000 + i % 500, 2, 1, 0) for i in range(65535)])
    yield "endless chain.tif", head + page(size + strip, 8) + bytes(700)
    yield "4 GB tag.tif", head + page([*size, *strip, tag(34118, 2, 2**32 - 1, 8)]) + bytes(700)
    yield (
        "4 GB strips.tif",
        head + page([*size, tag(273, 4, 2**30, 8), tag(279, 4, 2**30, 8)]) + bytes(700),
    )
    huge = [tag(256, 4, 1, 2**31 - 1), tag(257, 4, 1, 2**31 - 1), *size[2:], *strip]
    yield "4 exapixels.tif", head + page(huge) + bytes(700)
    compressed = [*huge[:4], tag(259, 3, 1, 8), *strip]
    yield "deflated exapixels.tif", head + page(compressed) + bytes(700)
    many = bytearray(head)
    for _ in range(50_000):
        many += page([*size, *strip], len(many) + 2 + 12 * 8 + 4)
    many[-4:] = bytes(4)
    yield "50000 pages.tif", bytes(many) + bytes(700)
    laughs = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 9))
    xml = f'<?xml version="1.0"?><!DOCTYPE Fibics [<!ENTITY a0 "ha">{laughs}]><Fibics>&a8;</Fibics>'.encode()
    yield (
        "xml bomb.tif",
        head
        + page([*size, *strip, tag(51023, 2, len(xml), 8 + 2 + 9 * 12 + 4)])
        + xml
        + bytes(700),
    )
    yield (
        "png bomb.png",
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
        + bytes(40),
    )
    mrc = bytearray(1100)
    struct.pack_into("<4i", mrc, 0, 2**30, 2**30, 2**30, 2)
    mrc[208:212], mrc[212:216] = b"MAP ", b"DD\0\0"
    yield "huge.mrc", bytes(mrc)
    yield (
        "huge.nrrd",
        b"NRRD0004\ntype: float\ndimension: 3\nsizes: 1000000 1000000 1000000\nencoding: gzip\nendian: little\n\n",
    )
    yield (
        "deep.dm4",
        struct.pack(">IQI", 4, 100, 1)
        + (b"\0\0" + struct.pack(">Q", 1) + b"\x14\0\0" + struct.pack(">Q", 9)) * 5000,
    )
    yield (
        "many.dm3",
        struct.pack(">III", 3, 100, 1)
        + b"\0\0"
        + struct.pack(">I", 2**32 - 1)
        + (b"\x15\0\0%%%%" + struct.pack(">II", 1, 8) + b"\0") * 3000,
    )
    yield "empty.tif", b""
    yield "zeros.tif", bytes(5000)
