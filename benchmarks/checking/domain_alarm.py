"""Domain alarm: another material, the teachers' own unseen specimens, and the same material recorded worse.

Eight specimens at random are the teachers; LR of one image of every other specimen is judged. Changes of noise, blur and
pixel size are set beside what they do to the twin's gain over bicubic.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np
from common import fields, held_out, interval, keep, middle, row, seen, simulated, to_dtype
from scipy.ndimage import gaussian_filter, zoom

from napari_sem_sr.checking.evidence.domain import Domain, fit_domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.intensity import range_of
from napari_sem_sr.metrics.psnr_ssim import psnr
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model

TEACHERS = 8
DRAWS = 100
SETS = ("coating", "superalloy", "powder", "microspherules", "medulla")
NOISE, BLUR, PIXEL = (3, 5, 10), (0.4, 0.6, 0.8), (0.7, 1.4, 2.0)


def features_of(lr: np.ndarray) -> np.ndarray:
    return domain_features(range_of(lr).normalise(lr))


def changed(hr: np.ndarray, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(HR, LR) of a field recorded in other ways."""
    plain = area_average(hr, 4)
    found = {"as it is": (hr, to_dtype(plain, hr))}
    for sd in NOISE:
        found[f"noise of {sd} grey levels"] = (
            hr,
            to_dtype(plain + rng.normal(0, sd, plain.shape), hr),
        )
    for sd in BLUR:
        found[f"blur of {sd} LR pixels"] = (hr, to_dtype(gaussian_filter(plain, sd), hr))
    for times in PIXEL:
        smooth = gaussian_filter(hr.astype(float), 0.5 / times if times < 1 else 0)
        other = middle(to_dtype(zoom(smooth, times, order=1), hr), hr.shape[0])
        found[f"pixels {1 / times:.2g} times the size"] = (
            other,
            to_dtype(area_average(other, 4), hr),
        )
    return found


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    count = 30 if quick else 110
    known: dict[str, list[tuple[str, np.ndarray]]] = {}
    images: dict[str, list[tuple[str, np.ndarray]]] = {}
    for kind in SETS:
        images[kind] = [(specimen, hr) for specimen, _, hr in fields(data, kind)]
    for kind in ("tin", "cathode"):
        images[kind] = [(specimen, hr) for specimen, _, hr in simulated(kind, count, 384)]
    for kind, some in images.items():
        known[kind] = [(s, features_of(to_dtype(area_average(hr, 4), hr))) for s, hr in some]
        print("domain: described", kind, flush=True)
    rows, details = [], {}
    rng = np.random.default_rng(0)
    recorded = [
        (s, {how: features_of(lr) for how, (_, lr) in changed(hr, rng).items()})
        for s, hr in images["coating"]
    ]
    for kind in ("tin", "cathode", "coating", "superalloy"):
        judged: dict[str, list[bool]] = defaultdict(list)
        worse: dict[str, list[bool]] = defaultdict(list)
        specimens = sorted({s for s, _ in known[kind]})
        draws = max(2, DRAWS // 4) if quick else DRAWS
        for _ in range(draws):
            taught = set(rng.choice(specimens, TEACHERS, replace=False))
            own = [(s, f) for s, f in known[kind] if s in taught]
            domain = Domain.of(fit_domain(np.stack([f for _, f in own]), [s for s, _ in own]))
            assert domain is not None
            for other, some in known.items():
                for s, f in some:
                    if other != kind or s not in taught:
                        judged[other].append(bool(domain.unlike(f)))
            if kind == "coating":
                for s, hows in recorded:
                    if s not in taught:
                        for how, f in hows.items():
                            worse[how].append(bool(domain.unlike(f)))
        details[kind] = {k: [int(sum(v)), len(v)] for k, v in judged.items()}
        own = judged.pop(kind)
        foreign = [float(np.mean(v)) for v in judged.values()]
        rows.append(
            row(
                f"domain alarm, {TEACHERS} specimens of {kind}: raised on other materials",
                ">= 85 %",
                f"{100 * np.mean(foreign):.0f} % ("
                + ", ".join(f"{k} {100 * np.mean(v):.0f}" for k, v in judged.items())
                + ")",
                f"{draws} draws",
            )
        )
        rows.append(
            row(
                "… false, on its own unseen specimens",
                "<= 15 %",
                _share(own),
                f"{len(own)} in {draws} draws",
            )
        )
        details[f"{kind}, recorded worse"] = {k: [int(sum(v)), len(v)] for k, v in worse.items()}
    gains = _gains(model, data, rng, quick)
    details["gain of the twin over bicubic, dB"] = gains
    for how, (raised, total) in details["coating, recorded worse"].items():
        gain = float(np.mean(gains[how]))
        rows.append(
            row(
                f"coating, {how}: twin {gain:+.1f} dB over bicubic",
                ">= 80 %" if gain < 0 else "",
                f"raised {100 * raised / total:.0f} %",
                str(total),
            )
        )
    rows += _own_model(model, known, images, details)
    keep(out, "domain_alarm", rows, details)


def _own_model(model: Model, known, images, details) -> list[dict[str, str]]:
    """The bundled model's own domain on what it was not taught on."""
    domain = Domain.of(model.calibration)
    if domain is None:
        return []
    trained = {*model.card.teachers.groups.train, *model.card.teachers.groups.calibration}
    rows, unseen, foreign = [], [], []
    materials = {g.split("/")[0] for g in trained}
    for kind, some in known.items():
        for specimen, f in some:
            if kind in materials and f"{kind}/{specimen}" not in trained:
                unseen.append((f"{kind}/{specimen}", bool(domain.unlike(f))))
            elif kind not in materials:
                foreign.append((kind, bool(domain.unlike(f))))
    details[model.card.name] = {"own unseen": unseen, "foreign": foreign}
    rows.append(
        row(
            f"{model.card.name}: raised on unseen specimens of its materials",
            "<= 15 %",
            _share([a for _, a in unseen]),
            str(len(unseen)),
        )
    )
    for kind in sorted({k for k, _ in foreign}):
        some = [a for k, a in foreign if k == kind]
        rows.append(
            row(f"{model.card.name}: raised on simulated {kind}", "", _share(some), str(len(some)))
        )
    return rows


def _gains(model: Model, data: Path, rng, quick: bool) -> dict[str, list[float]]:
    """Gain of the twin over bicubic on coatings it was not taught on."""
    found: dict[str, list[float]] = defaultdict(list)
    some = [(s, n, hr) for s, n, hr in held_out(model, data) if s.startswith("coating")]
    for specimen, name, hr in some[: 2 if quick else None]:
        for how, (truth, lr) in changed(hr, rng).items():
            p = seen(model, specimen, name, truth, lr)
            found[how].append(psnr(p.twin, truth) - psnr(upscale_bicubic(lr, 4), truth))
    return found


def _share(some: list[bool]) -> str:
    hits, total = int(sum(some)), len(some)
    low, high = interval(hits, total)
    return f"{hits} of {total}: {100 * hits / max(1, total):.0f} % ({100 * low:.0f} to {100 * high:.0f})"
