"""A model's card in a few lines."""

from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.model.card import Card
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.words import tr


def headline(card: Card) -> str:
    """Factor, teachers and their pixel size."""
    return tr(
        "×{factor} · {count} teachers · {pixel_range}",
        factor=card.factor,
        count=card.teachers.count,
        pixel_range=_pixel_range(card),
    )


def gain(card: Card) -> str:
    """What it brings over bicubic on images it never saw."""
    images = (
        tr("1 image") if len(card.scores) == 1 else tr("{count} images", count=len(card.scores))
    )
    twin, gan = card.gain("twin"), card.gain("gan")
    if twin is None or gan is None:
        return tr("not scored yet: resume its training to find out how good it is")
    return tr(
        "{gain:+.1f} dB over bicubic as twin, {gain2:+.1f} dB as SRGAN ({images} never trained on)",
        gain=twin,
        gain2=gan,
        images=images,
    )


def cautions(card: Card, stack: SemStack | None) -> list[str]:
    """What speaks against using the model on this stack, as far as numbers tell."""
    found = []
    if (card.gain("gan") or 0.0) < 0:
        found.append(
            tr(
                "The full SRGAN is further from the truth than bicubic in PSNR: it draws detail that looks right."
            )
        )
    if card.teachers.unit != "specimen":
        found.append(
            tr(
                "Its scores come from a held-out {unit}, not from another specimen.",
                unit=card.teachers.unit,
            )
        )
    if card.teachers.left_out_in_turn:
        found.append(
            tr(
                "Too few specimens to hold some back: its scores come from networks trained alike, each without the specimen in question."
            )
        )
    if card.training.overfitted_since is not None:
        found.append(card.training.verdict)
    pixel = None if stack is None else stack.voxel_nm[2]
    known = card.teachers.pixel_nm
    if pixel is not None and known:
        sr = pixel / card.factor
        if not min(known) / 1.5 <= sr <= max(known) * 1.5:
            found.append(
                tr(
                    "SR pixels of {size}, but its teachers have {pixel_range}: detail may have the wrong size.",
                    size=spoken_length(sr, 3),
                    pixel_range=_pixel_range(card),
                )
            )
    return found


def details(card: Card) -> str:
    """All a tooltip can hold: what it was taught, its scores, its licence."""
    rows = "".join(
        f"<tr><td>{s.group}</td><td align=right>{s.bicubic_psnr:.1f}</td>"
        f"<td align=right>{s.twin_psnr:.1f}</td><td align=right>{s.gan_psnr:.1f}</td></tr>"
        for s in card.scores
    )
    heads = "".join(
        f"<th align={side}>{head}</th>"
        for side, head in (
            ("left", tr("never trained on")),
            ("right", tr("bicubic")),
            ("right", tr("twin")),
            ("right", "SRGAN"),
        )
    )
    table = f"<table cellspacing=4><tr>{heads}</tr>{rows}</table>"
    taught = tr("Trained on: {groups}", groups=", ".join(card.teachers.groups.train))
    below = tr(
        "PSNR in dB. Licence: {licence}. Credits: {credits_}",
        licence=card.licence,
        credits_="; ".join(card.credits) or tr("none"),
    )
    return f"<b>{card.name}</b><br>{card.description}<br>{taught}{table}{below}"


def _pixel_range(card: Card) -> str:
    known = card.teachers.pixel_nm
    if not known:
        return tr("pixel size unknown")
    low, high = min(known), max(known)
    return (
        spoken_length(low, 3)
        if low == high
        else tr("{size} to {size2}", size=spoken_length(low, 3), size2=spoken_length(high, 3))
    )
