"""Upscale a stack in a process of its own, which says what it has done so that it can be killed."""

import sys
from pathlib import Path

import torch
from specimens import model, stack

from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale

torch.set_num_threads(1)
output, slices = Path(sys.argv[1]), int(sys.argv[2])
settings = UpscaleSettings(device="cpu", precision="fp32", tile=16)
for event in iter_upscale(stack(slices, (40, 60)), output, model(), settings, resume=True):
    print(type(event).__name__, flush=True)
