import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack

PIXELS = np.random.default_rng(0).integers(0, 65535, (3, 40, 50), np.uint16)


def tiff(**options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, PIXELS, photometric="minisblack", **options)
    return stream.getvalue()


def picture(kind):
    stream = io.BytesIO()
    Image.fromarray((PIXELS[0] >> 8).astype(np.uint8)).save(stream, format=kind)
    return stream.getvalue()


FILES = {
    "plain.tif": tiff(metadata=None),
    "deflate.tif": tiff(compression="zlib"),
    "tiles.tif": tiff(tile=(16, 16)),
    "imagej.tif": tiff(imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 0.1}),
    "ome.tif": tiff(ome=True, metadata={"axes": "ZYX", "PhysicalSizeX": 2.0}),
    "a.png": picture("PNG"),
    "a.bmp": picture("BMP"),
    "a.jpg": picture("JPEG"),
}


def damaged(content, random):
    """Change a few bytes, most of them where headers lie, and sometimes cut the end off."""
    data = bytearray(content)
    start, stop = [(0, 400), (0, len(data)), (max(0, len(data) - 1500), len(data))][
        random.integers(3)
    ]
    for place in random.integers(start, min(stop, len(data)), random.integers(1, 8)):
        data[place] = random.choice([0, 1, 127, 128, 255])
    return bytes(data[: random.integers(len(data))] if random.random() < 0.2 else data)


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(tmp_path, name):
    random = np.random.default_rng(list(name.encode()))
    path = tmp_path / name
    refused = 0
    for _ in range(150):
        path.write_bytes(damaged(FILES[name], random))
        try:
            stack = read_stack(path)
            for z in range(min(stack.shape[0], 4)):
                assert stack.slice(z).shape == stack.shape[1:]
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
            assert name in str(error)
    assert refused > 10


def test_a_page_without_pixels_is_damage(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(FILES["plain.tif"])
    with tifffile.TiffFile(path) as file:
        place = file.pages[0].tags["ImageLength"].valueoffset
    data = bytearray(path.read_bytes())
    data[place : place + 4] = bytes(4)
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.tif"):
        read_stack(path)
