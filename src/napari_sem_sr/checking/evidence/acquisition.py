"""How a stack was recorded beside how the model's teachers were, in words.

What it can and cannot tell: it compares what files say. What they do not say is named as unknown, never guessed.
"""

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.image_features import Vector, noise_of
from napari_sem_sr.model.card import Card
from napari_sem_sr.stack import SemStack


def circumstances(lr: SemStack, card: Card, domain: Domain, features: Vector) -> list[str]:
    """One sentence each on pixel size, noise, instrument and detector.

    Parameters
    ----------
    lr
        The stack.
    card
        Of the model.
    domain
        The model's teachers.
    features
        Statistics of the stack.
    """
    return [
        _pixel(lr, card),
        _noise(domain, features),
        _instrument(lr, card),
        _detector(lr, card),
    ]


def _pixel(lr: SemStack, card: Card) -> str:
    size = lr.voxel_nm[2]
    known = sorted(p * card.factor for p in card.teachers.pixel_nm)
    if not known:
        taught = "unknown for the teachers"
    elif known[0] == known[-1]:
        taught = f"{known[0]:.3g} nm for the degraded teachers"
    else:
        taught = f"{known[0]:.3g} to {known[-1]:.3g} nm for the degraded teachers"
    here = "unknown" if size is None else f"{size:.3g} nm"
    return f"Pixel size of LR: {here}; {taught}."


def _noise(domain: Domain, features: Vector) -> str:
    low, high = domain.noise
    here = noise_of(features)
    if domain.is_noisier(features):
        judged = "more than any of them"
    elif here < low / 2:
        judged = "less than any of them"
    else:
        judged = "as theirs"
    return (
        f"Noise of LR: {100 * here:.2g} % of the intensity range, {judged} "
        f"({100 * low:.2g} to {100 * high:.2g} %)."
    )


def _instrument(lr: SemStack, card: Card) -> str:
    here = " ".join(s for s in (lr.instrument.maker, lr.instrument.model) if s)
    return _named("Instrument", here, card.teachers.instruments)


def _detector(lr: SemStack, card: Card) -> str:
    here = lr.instrument.detector or ""
    taught = [i for i in card.teachers.instruments if here and here.lower() in i.lower()]
    if here and taught:
        return f"Detector: {here}, one of the teachers'."
    # cards name instruments; a detector only where teachers' files did
    return f"Detector: {here or 'not stated in the files'}; the model does not say which its teachers were taken with."


def _named(what: str, here: str, taught: list[str]) -> str:
    if not here and not taught:
        return f"{what}: stated neither for LR nor for the teachers."
    if not here:
        return f"{what}: not stated for LR; teachers: {', '.join(taught)}."
    if not taught:
        return f"{what}: {here}; not stated for the teachers."
    same = any(here.lower() == t.lower() for t in taught)
    judged = "one of the teachers'" if same else f"none of the teachers' ({', '.join(taught)})"
    return f"{what}: {here}, {judged}."
