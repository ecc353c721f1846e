from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking.evidence.acquisition import circumstances
from napari_sem_sr.checking.evidence.domain import Domain, fit_domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.instrument import Instrument
from napari_sem_sr.stack import SemStack
from tests.conftest import card


@pytest.fixture
def domain() -> Domain:
    rng = np.random.default_rng(0)
    images = [0.5 + rng.normal(0, 0.01, (96, 96)) for _ in range(4)]
    found = Domain.of(fit_domain(np.stack([domain_features(i) for i in images]), list("abcd")))
    assert found is not None
    return found


def said(domain: Domain, stack: SemStack, noise: float, instruments: list[str]) -> str:
    known = card()
    known = known.model_copy(
        update={"teachers": known.teachers.model_copy(update={"instruments": instruments})}
    )
    image = 0.5 + np.random.default_rng(1).normal(0, noise, (96, 96))
    return " ".join(circumstances(stack, known, domain, domain_features(image)))


def stack(**about) -> SemStack:
    return SemStack.from_array(np.zeros((1, 8, 8), np.uint8), "LR", **about)


def test_what_files_do_not_say_is_called_unknown(domain):
    text = said(domain, stack(), 0.01, [])
    assert "Pixel size of LR: unknown; 20 nm for the degraded teachers." in text
    assert "Instrument: stated neither for LR nor for the teachers." in text
    assert "Detector: not stated" in text


def test_another_instrument_more_noise_and_another_pixel_size_are_named(domain):
    here = stack(
        voxel_nm=(50.0, 12.0, 12.0),
        instrument=Instrument(maker="Zeiss", model="Crossbeam", detector="InLens"),
    )
    text = said(domain, here, 0.05, ["Hitachi SU8000"])
    assert "Pixel size of LR: 12 nm" in text
    assert "more than any of them" in text
    assert "Instrument: Zeiss Crossbeam, none of the teachers' (Hitachi SU8000)." in text
    same = replace(here, instrument=Instrument(maker="Hitachi", model="SU8000"))
    text = said(domain, same, 0.01, ["Hitachi SU8000"])
    assert "one of the teachers'" in text
    assert "as theirs" in text
