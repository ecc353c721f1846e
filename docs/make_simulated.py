"""Draw docs/images/simulated.png: three specimens of each simulated material."""

from pathlib import Path

import numpy as np
from PIL import Image

from napari_sem_sr.samples.specimens import specimens

if __name__ == "__main__":
    rows = [
        np.hstack([s.image for s in specimens(k, 3, 10, (320, 448))]) for k in ("tin", "cathode")
    ]
    Image.fromarray(np.vstack(rows)).save(
        Path(__file__).parent / "images" / "simulated.png", optimize=True
    )
