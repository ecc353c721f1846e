"""sem-x4 exported for the bundled tin sample, in bioimageio.core beside our own network: python benchmarks/exported_model.py

Needs napari-sem-sr[export] and bioimageio.core (docs/models.md says how both get on).
"""

import tempfile
from pathlib import Path

import bioimageio.core
import numpy as np
import torch

from napari_sem_sr.exchange.bioimageio import write_bioimageio
from napari_sem_sr.exchange.freeze import freeze
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.samples import tin_pair


def main() -> None:
    lr, _ = tin_pair()
    frozen, _ = freeze(load_model("sem-x4"), UpscaleSettings(), lr)
    scale = frozen.intensity
    assert scale is not None
    image = np.asarray(lr.data[0]).astype(np.float32)
    with torch.inference_mode():
        sr = frozen.network(torch.from_numpy(scale.normalise(image))[None, None])[0, 0]
    wanted = scale.restore(sr.numpy())
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "sem-x4.zip"
        part = write_bioimageio(frozen, package)
        print(f"sharpness {frozen.sharpness:g}, {frozen.conditions}, {scale}")
        print(f"ONNX Runtime: within {255 * part:.2g} of 255 grey levels")
        print("test_model:", bioimageio.core.test_model(package).status)
        for blocks in ({}, {"blocksize_parameter": 4}):
            sample = bioimageio.core.predict(
                model=package, inputs={"lr": image[None, None]}, **blocks
            )
            off = np.abs(sample.members["sr"].data.to_numpy()[0, 0] - wanted)
            off *= 255 / (scale.high - scale.low)
            edge = frozen.factor * frozen.network.reach
            inside = off[edge:-edge, edge:-edge].max(initial=0)
            print(
                "bioimageio.core",
                "in blocks" if blocks else "whole",
                f"within {off.max():.2g}, beyond the halo {inside:.2g}",
            )


if __name__ == "__main__":
    main()
