"""The strip of text under an image is found in the pixels, and nothing else is taken for it."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

from napari_sem_sr.io.databar import Databar, find_databar

HEIGHT, WIDTH = 480, 640


def specimen(seed: int = 0) -> np.ndarray:
    """Measured-looking grey image, with noise."""
    rng = np.random.default_rng(seed)
    ground = gaussian_filter(rng.normal(size=(HEIGHT, WIDTH)), 6) * 600 + 110
    return (ground + rng.normal(0, 4, ground.shape)).clip(0, 255).astype(np.uint8)


def bar(height: int, ground: int = 0, ink: int = 255, frame: bool = False) -> np.ndarray:
    """A databar as microscopes draw it: text, ruler ticks, perhaps a frame."""
    picture = Image.new("L", (WIDTH, height), ground)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(min(20, height - 8))
    draw.text((8, 2), "SEM 5.0kV 2.7mm x50.0k SE(U)", fill=ink, font=font)
    draw.text((WIDTH - 120, 2), "1.00 um", fill=ink, font=font)
    for tick in range(11):
        draw.line((400 + 10 * tick, height - 12, 400 + 10 * tick, height - 4), fill=ink, width=2)
    if frame:
        draw.rectangle((0, 0, WIDTH - 1, height - 1), outline=ink, width=2)
    return np.asarray(picture)


def as_jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


@pytest.mark.parametrize(("height", "frame"), [(16, False), (30, False), (44, True), (80, True)])
@pytest.mark.parametrize(("ground", "ink"), [(0, 255), (190, 0)])
def test_a_bar_is_found_to_the_row_at_either_edge(
    height: int, frame: bool, ground: int, ink: int
) -> None:
    drawn = bar(height, ground, ink, frame)
    below = find_databar(np.vstack([specimen(), drawn]))
    above = find_databar(np.vstack([drawn, specimen()]))
    assert below == Databar(HEIGHT, HEIGHT + height, HEIGHT + height)
    assert above == Databar(0, height, HEIGHT + height)


def test_what_is_left_is_the_image() -> None:
    image = specimen()
    for whole in (np.vstack([image, bar(30)]), np.vstack([bar(30), image])):
        found = find_databar(whole)
        assert found is not None
        np.testing.assert_array_equal(found.cut(whole), image)


@pytest.mark.parametrize("quality", [95, 75, 60])
def test_jpeg_moves_the_edge_by_less_than_its_blocks(quality: int) -> None:
    found = find_databar(as_jpeg(np.vstack([specimen(), bar(44)]), quality))
    assert found is not None
    assert abs(found.start - HEIGHT) < 8


def test_16_bit_files_have_bars_too() -> None:
    found = find_databar(np.vstack([specimen(), bar(44)]).astype(np.uint16) * 200 + 3)
    assert found is not None
    assert found.start == HEIGHT


def blank_margin() -> np.ndarray:
    return np.vstack([specimen(), np.zeros((40, WIDTH), np.uint8)])


def saturated_with_pores() -> np.ndarray:
    image = specimen().astype(float)
    image[:60] += 400
    return gaussian_filter(image + 0.0, 1).clip(0, 255).astype(np.uint8) - specimen(1) // 8 * (
        np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.002
    ).astype(np.uint8)


def spheres_on_black() -> np.ndarray:
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    image = np.zeros((HEIGHT, WIDTH))
    rng = np.random.default_rng(3)
    for _ in range(60):
        y, x, r = rng.uniform(0, HEIGHT), rng.uniform(0, WIDTH), rng.uniform(6, 40)
        image = np.maximum(
            image, 250 * np.sqrt(np.clip(1 - ((yy - y) ** 2 + (xx - x) ** 2) / r**2, 0, 1))
        )
    return image.astype(np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        specimen(),
        blank_margin(),
        saturated_with_pores(),
        spheres_on_black(),
        np.zeros((200, 200), np.uint8),
        np.full((5, 5), 7, np.uint16),
        np.full((100, 100), np.nan, np.float32),
    ],
    ids=["specimen", "margin", "saturated", "spheres", "flat", "stamp", "nan"],
)  # fmt: skip
def test_no_bar_is_seen_where_there_is_none(image: np.ndarray) -> None:
    assert find_databar(image) is None
