"""Padding leaves no trace, whatever lies inside."""

import pytest
import torch
import torch.nn.functional as F

from napari_sem_sr.exchange.bordered import BorderedGenerator
from napari_sem_sr.exchange.onnx_file import PADDING
from napari_sem_sr.model.generator import Generator


@pytest.mark.parametrize("beyond", [float("nan"), PADDING])
@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_a_padded_image_gives_what_the_image_gives(factor: int, beyond: float) -> None:
    torch.manual_seed(0)
    network = Generator(factor, 4, 2, 4).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.2)
    image = torch.rand(2, 1, 13, 17)
    reach = network.reach
    kept = slice(factor * reach, -factor * reach)

    with torch.inference_mode():
        wanted = network(image)
        plain = BorderedGenerator(network)(image)
        padded = BorderedGenerator(network)(F.pad(image, (reach,) * 4, value=beyond))
        mirrored = network(F.pad(image, (8,) * 4, mode="reflect"))

    torch.testing.assert_close(plain, wanted)
    torch.testing.assert_close(padded[:, :, kept, kept], wanted)
    # otherwise the border would not matter, and the test would say nothing
    seen = slice(factor * 8, -factor * 8)
    assert (mirrored[:, :, seen, seen] - wanted).abs().max() > 1 / 255
