"""The part of a model card that says which features the model resolves."""

from typing import Literal

from napari_sem_sr.model.card_parts import CardPart

# Share of trials in which a feature has to be recovered to count as resolved.
RECOVERED = 0.9


class Recovery(CardPart):
    """Share of planted features that are recovered, by size; None where none was planted.

    ``size_lr_px`` are diameters, or widths of lines, in LR pixels; ``rate`` is by picture: "gan", "twin", "bicubic".

    Parameters
    ----------
    kind
        Shape of the features.
    n
        Planted features of each size.
    """

    kind: Literal["disc", "pore", "line"]
    size_lr_px: list[float]
    n: list[int]
    rate: dict[str, list[float | None]]

    def smallest(self, picture: str, wanted: float) -> float | None:
        """Smallest size, in LR pixels, from which on every size is recovered at least so often; None if none.

        Parameters
        ----------
        picture
            ``"gan"``, ``"twin"`` or ``"bicubic"``.
        wanted
            Share, 0 to 1.
        """
        found = None
        for size, rate in zip(self.size_lr_px[::-1], self.rate[picture][::-1], strict=True):
            if rate is None or rate < wanted:
                break
            found = size
        return found


class ResolvingPower(CardPart):
    """What the model resolves, measured with planted and erased features (`checking.resolving`).

    ``drawn_back`` is the share of ``n_erased`` erased objects that a picture shows again; None without any.

    Parameters
    ----------
    planted
        By kind of feature.
    specimens
        That were measured on.
    """

    planted: list[Recovery]
    n_erased: int
    drawn_back: dict[str, float] | None
    specimens: int

    def smallest(self, picture: str) -> float | None:
        """Size, in LR pixels, from which features of every kind are recovered; None if there is none.

        Parameters
        ----------
        picture
            ``"gan"``, ``"twin"`` or ``"bicubic"``.
        """
        sizes = [recovery.smallest(picture, RECOVERED) for recovery in self.planted]
        found = [size for size in sizes if size is not None]
        return max(found) if found and len(found) == len(sizes) else None

    def sentence(self, lr_pixel_nm: float | None = None) -> str:
        """For a person; with sizes in nm where the LR pixel is known.

        Parameters
        ----------
        lr_pixel_nm
            Side of an LR pixel in nm; None where unknown.
        """
        parts = []
        for recovery in self.planted:
            smallest = recovery.smallest("gan", RECOVERED)
            size = "none of the sizes tried" if smallest is None else f"from {smallest:g} LR pixels"
            if smallest is not None and lr_pixel_nm is not None:
                size += f" ({smallest * lr_pixel_nm:.3g} nm)"
            parts.append(f"{recovery.kind}s: {size}")
        text = f"Recovered in at least 90 % of trials, {', '.join(parts)}."
        if self.drawn_back is not None:
            text += f" Of {self.n_erased} erased objects {100 * self.drawn_back['gan']:.0f} % were drawn back."
        return text
