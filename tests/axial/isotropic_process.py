"""Make a volume in a process of its own, which says what it has done so that it can be killed."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))
from napari_sem_sr.axial.learn import session
from napari_sem_sr.axial.run import iter_isotropic
from tests.axial.specimens import QUICK, sliced

torch.set_num_threads(1)
# a checkpoint after every step, so that a kill finds learning at any step
session.SAVED_EVERY_S = 0.0
for event in iter_isotropic(sliced(), Path(sys.argv[1]), QUICK, resume=True):
    print(type(event).__name__, flush=True)
