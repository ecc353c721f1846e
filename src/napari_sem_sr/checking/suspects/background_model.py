"""What is usual in a stack, measured once on a few slices, so that all slices are judged alike.

Heights are in standard deviations of what is usual at a place. Three things let an addition stand out from the
residual that every generator leaves behind:

- part of that residual follows from LR alone (a generator that sharpens or softens a little leaves a filtered
  copy of LR behind): a linear prediction from band-passed LR is subtracted;
- it is larger where LR is busy: see `local_context`;
- a faint but large addition is as certain as a small bright one: see `matched_filters`.

What the adversarial stage added to the twin is judged likewise, by its amount, and by the detail that no multiple of
the twin's detail explains.

Source: our own trials (benchmarks/checking/planted.py; figures in docs/measurements-checking.md).

What it can and cannot tell: usual is not right. A fault that is everywhere raises no place above the rest; the
numbers of the whole stack (chi-square, agreement, domain) are there for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sem_sr.checking.suspects.local_context import (
    MARGIN as CONTEXT_MARGIN,
)
from napari_sem_sr.checking.suspects.local_context import (
    Context,
    Standard,
    Usual,
    Vector,
    context_of,
    learn,
)
from napari_sem_sr.checking.suspects.matched_filters import (
    KERNEL_RADIUS,
    RINGS,
    TEXTURE_MARGIN,
    TEXTURE_SCALES,
    Bank,
    ring_power,
)
from napari_sem_sr.checking.suspects.reasons import (
    INVENTED,
    KIND_OF,
    TEXTURE,
    TOO_BRIGHT,
    TOO_DARK,
)
from napari_sem_sr.checking.view.filter_bank import CORE, Window, windows
from napari_sem_sr.metrics.banded import mirrored
from napari_sem_sr.metrics.boundary import crowding
from napari_sem_sr.metrics.resample import filled_near
from napari_sem_sr.metrics.robust import middle_and_scatter

Float = npt.NDArray[np.float32]

# Mean of the logarithm of the absolute value of a standard normal variable.
LOG_ABS = -0.635
# Standard deviations, for learning what is usual in spite of a few faults.
CLIP = 4.0
# LR pixels around a place that belong to the same lump, and how far its edges are from its middle.
LUMP, LUMP_REACH = 5, 2
# Of 255: below it, logarithms of amounts say nothing.
TINY = 0.3
# LR pixels around a window on which the residual has to be known, and LR.
NORMAL_MARGIN = TEXTURE_MARGIN + LUMP_REACH
MARGIN = NORMAL_MARGIN + CONTEXT_MARGIN


@dataclass(frozen=True, eq=False)
class Slice:
    """One slice on the LR grid, all in 255ths of the intensity range, on one device.

    Parameters
    ----------
    lr
        ``(y, x)``, filled where it is masked.
    residual
        ``(y, x)``; NaN where masked.
    amounts
        What was added to the twin, measured in one or more ways; may be empty.
    """

    lr: Tensor
    residual: Tensor
    amounts: Sequence[Tensor] = ()

    @classmethod
    def of(
        cls,
        lr: npt.NDArray[Any],
        residual: npt.NDArray[Any],
        amounts: Sequence[npt.NDArray[Any] | Tensor] = (),
        device: torch.device | str = "cpu",
    ) -> "Slice":
        """Put a slice on a device; NaN in ``lr`` is filled with what is near.

        Parameters
        ----------
        lr
            ``(y, x)`` in grey values; may hold NaN.
        residual
            ``(y, x)``; may hold NaN.
        amounts
            ``(y, x)`` each: what was added to the twin.
        device
            Where to.
        """

        def there(image: npt.NDArray[Any] | Tensor) -> Tensor:
            return torch.as_tensor(image).to(device, torch.float32)

        return cls(there(filled_near(lr)), there(residual), [there(a) for a in amounts])


@dataclass(frozen=True, eq=False)
class BackgroundModel:
    """What is usual in one stack; see `measure`.

    Parameters
    ----------
    weights
        ``(bands,)``: what of the residual follows from LR.
    scatter
        Log of the residual's standard deviation.
    bank
        Filters for its spectrum.
    found
        Logs of the bank's responses, then logs of the amounts.
    texture, amounts
        Middle and standard deviation by scale, and by way of measuring.
    least
        Smallest scatter that is taken for real.
    """

    weights: Vector
    scatter: Usual
    bank: Bank
    found: Usual
    texture: tuple[tuple[float, float], ...]
    amounts: tuple[tuple[float, float], ...]
    least: float

    @torch.no_grad()
    def z_scores(self, there: Slice) -> dict[str, Tensor]:
        """By reason: ``(y, x)`` how many standard deviations a place exceeds what is usual; NaN where masked.

        Parameters
        ----------
        there
            The slice.
        """
        reasons = [TOO_BRIGHT, TOO_DARK, TEXTURE] + ([INVENTED] if there.amounts else [])
        shape = there.lr.shape
        made = {reason: torch.empty_like(there.lr) for reason in reasons}
        crowded = [
            torch.from_numpy(crowding(tuple(shape), s).astype(np.float32)).to(there.lr.device)
            for s in TEXTURE_SCALES
        ]
        for window in windows((shape[0], shape[1]), CORE[there.lr.device.type]):
            found = self._z_scores(there, window, crowded)
            for reason in reasons:
                made[reason][window.here] = found[reason]
        masked = ~torch.isfinite(there.residual)
        for image in made.values():
            image[masked] = torch.nan
        return made

    def _z_scores(
        self, there: Slice, window: Window, crowded: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        context = context_of(_around(there.lr, window, MARGIN))
        residual = _around(there.residual, window, NORMAL_MARGIN)
        normal = _normal(residual, context, self.weights, self.scatter, self.least)
        inside = _inside(there.lr, window, NORMAL_MARGIN)
        wide = KERNEL_RADIUS + LUMP_REACH
        outer = _cut(context.features, NORMAL_MARGIN - LUMP_REACH)
        usual = self.found.at(outer)
        shapes = len(self.bank.shapes)
        found = self.bank.responses(_cut(normal * inside, NORMAL_MARGIN - wide))
        found = found / usual[:shapes].exp_().clamp_min_(1e-6)
        core = window.here
        power = torch.stack(
            [
                (image - middle) / (scatter * crowd[core])
                for image, crowd, (middle, scatter) in zip(
                    self.bank.texture(_cut(normal, LUMP_REACH)),
                    crowded,
                    self.texture,
                    strict=True,
                )
            ]
        ).amax(dim=0)
        bright, dark = found.amax(dim=0), -found.amin(dim=0)
        # a lump has power too; texture is what no shape of one sign explains
        known = _cut(inside, NORMAL_MARGIN - LUMP_REACH) > 0
        either = torch.maximum(bright, dark).masked_fill_(~known, -torch.inf)
        lump = F.max_pool2d(either[None, None], LUMP, stride=1)[0, 0] > power
        z_scores = {
            TOO_BRIGHT: _cut(bright, LUMP_REACH),
            TOO_DARK: _cut(dark, LUMP_REACH),
            TEXTURE: power.masked_fill(lump, 0.0),
        }
        if there.amounts:
            over = [
                ((amount[core] + TINY).log_() - _cut(expected, LUMP_REACH) - middle) / scatter
                for amount, expected, (middle, scatter) in zip(
                    there.amounts, usual[shapes:], self.amounts, strict=True
                )
            ]
            z_scores[INVENTED] = torch.stack(over).amax(dim=0)
        return z_scores


def by_kind(z_scores: Mapping[str, Tensor]) -> dict[str, Float]:
    """The larger height of the reasons that share a tail.

    Parameters
    ----------
    z_scores
        ``(y, x)`` each, by reason.
    """
    found: dict[str, Float] = {}
    for reason, image in z_scores.items():
        kind, there = KIND_OF[reason], image.cpu().numpy()
        found[kind] = np.fmax(found[kind], there) if kind in found else there
    return found


@torch.no_grad()
def measure(slices: Sequence[Slice], least: float) -> BackgroundModel:
    """Take the measure of some slices, or of parts of slices.

    Parameters
    ----------
    slices
        At least one; all with as many ``amounts``.
    least
        Smallest scatter of a residual that is taken for real: rounding, for integers.
    """
    least = max(least, 1e-3)
    wholes = [Window((0, s.lr.shape[0]), (0, s.lr.shape[1])) for s in slices]
    contexts = [context_of(_around(s.lr, w, MARGIN)) for s, w in zip(slices, wholes, strict=True)]
    features = np.concatenate([_rows(_cut(c.features, NORMAL_MARGIN)) for c in contexts])
    bands = np.concatenate([_rows(_cut(c.bands, NORMAL_MARGIN)) for c in contexts])
    target = np.concatenate([_flat(s.residual) for s in slices])
    valid = np.isfinite(target)
    weights = np.linalg.lstsq(bands[valid], target[valid], rcond=None)[0]
    # a residual far under `least` is as good as none; its logarithm must not decide
    rest = np.log(np.abs(target - bands @ weights) + 0.2 * least) - LOG_ABS
    standard = Standard.of(features)
    scatter = learn(standard, features, [rest])
    normal = [
        _normal(_around(s.residual, w, NORMAL_MARGIN), c, weights, scatter, least).clamp_(
            -CLIP, CLIP
        )
        for s, w, c in zip(slices, wholes, contexts, strict=True)
    ]
    inner = [_cut(n, NORMAL_MARGIN).cpu().numpy().astype(np.float64) for n in normal]
    power = np.mean([ring_power(n) for n in inner], axis=0)
    bank = Bank.of(power / power.mean() if power.any() else np.ones(RINGS))
    found = [bank.responses(F.pad(_cut(n, NORMAL_MARGIN), (KERNEL_RADIUS,) * 4)) for n in normal]
    logs = [
        np.concatenate([np.log(np.abs(_flat(f[k])) + 1e-3) - LOG_ABS for f in found])
        for k in range(len(bank.shapes))
    ]
    amounts = [
        np.concatenate([np.log(_flat(s.amounts[k]) + TINY) for s in slices])
        for k in range(len(slices[0].amounts))
    ]
    usual = learn(standard, features, [*logs, *amounts])
    expected = standard.expand(features) @ usual.weights[len(logs) :].T
    textures = [bank.texture(_cut(n, LUMP_REACH)) for n in normal]
    return BackgroundModel(
        weights,
        scatter,
        bank,
        usual,
        tuple(
            middle_and_scatter(np.concatenate([_flat(t) for t in scale]), 0.05)
            for scale in zip(*textures, strict=True)
        ),
        tuple(
            middle_and_scatter(amount - expected[:, k], 0.05) for k, amount in enumerate(amounts)
        ),
        least,
    )


def _normal(
    residual: Tensor, context: Context, weights: Vector, scatter: Usual, least: float
) -> Tensor:
    """What LR does not predict of the residual, in its usual scatter; 0 where masked."""
    shares = torch.from_numpy(weights.astype(np.float32)).to(residual.device)
    rest = residual - torch.tensordot(shares, context.bands, dims=1)
    sigma = scatter.at(context.features)[0].exp_().clamp_min_(least)
    normal: Tensor = rest.div_(sigma).nan_to_num_(nan=0.0)
    return normal


def _around(image: Tensor, window: Window, margin: int) -> Tensor:
    """Part of an image with a margin, mirrored beyond the image's ends."""
    rows, columns = (
        torch.from_numpy(mirrored(start - margin, stop + margin, size)).to(image.device)
        for (start, stop), size in zip((window.rows, window.columns), image.shape, strict=True)
    )
    return image.index_select(0, rows).index_select(1, columns)


def _inside(image: Tensor, window: Window, margin: int) -> Tensor:
    """1 where a window and its margin lie in the image, 0 where they do not."""
    lines = [
        torch.tensor([0 <= i < size for i in range(start - margin, stop + margin)])
        for (start, stop), size in zip((window.rows, window.columns), image.shape, strict=True)
    ]
    return torch.outer(*(line.to(image.device, torch.float32) for line in lines))


def _cut(image: Tensor, margin: int) -> Tensor:
    """The last two axes without a margin."""
    part: Tensor = image[..., margin : image.shape[-2] - margin, margin : image.shape[-1] - margin]
    return part


def _flat(image: Tensor) -> Any:
    return image.reshape(-1).cpu().numpy().astype(np.float64)


def _rows(images: Tensor) -> Vector:
    """``(pixels, images)``."""
    return np.asarray(images.reshape(len(images), -1).cpu().numpy().T, np.float64)
