"""Training: two stages, exact resume, held-out scores, and what a person reads when it fails."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sem_sr import events
from napari_sem_sr.errors import InputError, ModelError, OutputError, TrainingError
from napari_sem_sr.inference.engine.devices import fast_precisions
from napari_sem_sr.inference.in_memory import LoadedModel
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.finish import finish
from napari_sem_sr.training.loop import training_run
from napari_sem_sr.training.loop.unfinished import training_folder
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.trainer import iter_train, train
from tests.training.specimens import discs, settings, teachers


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    model = load_bundle(path)
    return {f"{w}.{k}": v for w in ("gan", "twin") for k, v in model.weights[w].items()}


def test_the_twin_learns_to_beat_bicubic_on_a_specimen_it_never_saw(tmp_path: Path) -> None:
    model = train(
        teachers(),
        settings(
            epochs=60,
            gan_share=0.1,
            learning_rate=4e-3,
            architecture=Architecture(channels=16, blocks=2, tail_channels=8),
        ),
        tmp_path / "model",
    )
    assert model.card.gain("twin") > 0.3


def test_the_card_tells_who_was_held_out_and_how_it_went(tmp_path: Path) -> None:
    card = train(teachers(), settings(), tmp_path / "model").card
    groups = card.teachers.groups
    assert not set(groups.test) & {*groups.train, *groups.calibration}
    assert [s.group for s in card.scores] == groups.test
    assert card.training.epochs == {"twin": 2, "gan": 2}
    assert [p.stage for p in card.training.curve][-1] == "gan"
    assert card.teachers.unit == "specimen"


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(tmp_path: Path) -> None:
    train(teachers(), settings(), tmp_path / "through")
    plan = settings()
    steps = sum(
        isinstance(e, events.StepDone) for e in iter_train(teachers(), plan, tmp_path / "count")
    )
    for stop in (1, steps // 2, steps // 2 + 1, steps - 1):
        out = tmp_path / f"stopped at {stop}"
        work = iter_train(teachers(), plan, out)
        seen = 0
        for event in work:
            seen += isinstance(event, events.StepDone)
            if seen == stop:
                break
        work.close()
        assert not out.exists()
        again = list(iter_train(teachers(), plan, out, resume=True))
        # one that began anew would be as equal
        assert sum(isinstance(e, events.StepDone) for e in again) == steps - stop
        through, resumed = weights_of(tmp_path / "through"), weights_of(out)
        assert all(torch.equal(through[k], resumed[k]) for k in through)
        assert not training_folder(out).exists()


def test_training_can_start_from_a_model_and_takes_its_architecture(tmp_path: Path) -> None:
    first = train(teachers(), settings(), tmp_path / "first")
    asked = settings(epochs=1, gan_share=0, learning_rate=1e-9).model_dump(
        exclude={"architecture", "factor"}, exclude_unset=True
    )
    plan = TrainSettings(**asked)
    model = train(teachers(), plan, tmp_path / "second", start=first)
    assert model.card.training.started_from == f"first ({first.content_hash})"
    for a, b in zip(
        first.network("twin").parameters(), model.network("twin").parameters(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-6)


def test_a_start_of_another_architecture_is_refused(tmp_path: Path) -> None:
    first = train(teachers(), settings(epochs=1, gan_share=0), tmp_path / "first")
    other = settings(architecture=Architecture(channels=4, blocks=1, tail_channels=4))
    with pytest.raises(TrainingError, match="another factor or architecture"):
        train(teachers(), other, tmp_path / "second", start=first)


@pytest.mark.skipif(
    not fast_precisions(torch.device("cpu")), reason="this CPU does not compute in bf16"
)
def test_a_resumed_training_in_bf16_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    plan = settings(precision="bf16")
    train(teachers(), plan, tmp_path / "through")
    work = iter_train(teachers(), plan, tmp_path / "stopped")
    for seen, event in enumerate(work):
        if seen > 9 and isinstance(event, events.StepDone):
            break
    work.close()
    train(teachers(), plan, tmp_path / "stopped", resume=True)
    through, resumed = weights_of(tmp_path / "through"), weights_of(tmp_path / "stopped")
    assert all(torch.equal(through[k], resumed[k]) for k in through)


def test_every_step_is_reported_with_finite_losses(tmp_path: Path) -> None:
    found = list(iter_train(teachers(), settings(), tmp_path / "model"))
    steps = [e for e in found if isinstance(e, events.StepDone)]
    assert {e.stage for e in steps} == {"twin", "gan"}
    assert all(np.isfinite(v) for e in steps for v in e.losses.values())
    assert steps[-1].done == 1.0


def test_a_budget_in_minutes_is_kept(tmp_path: Path) -> None:
    import time

    began = time.monotonic()
    # reading and matching took two of the six seconds
    work = iter_train(
        teachers(), settings(epochs=None, minutes=0.1), tmp_path / "model", began=began - 2
    )
    found = list(work)
    assert time.monotonic() - began < 0.1 * 60 + 20
    steps = [e for e in found if isinstance(e, events.StepDone)]
    assert steps[-1].seconds < 6, "some time is kept for the scores at the end"
    for step in steps:
        assert step.seconds + step.left_s == pytest.approx(6, abs=0.7), "what it takes in all"


def test_without_an_adversarial_stage_the_twin_is_the_model(tmp_path: Path) -> None:
    model = train(teachers(), settings(gan_share=0), tmp_path / "model")
    for a, b in zip(
        model.network("gan").parameters(), model.network("twin").parameters(), strict=True
    ):
        assert torch.equal(a, b)


def test_one_teacher_trains_and_is_named_as_not_independent(tmp_path: Path) -> None:
    found = []
    work = iter_train([Teacher(discs(0, 256), "only", "only")], settings(), tmp_path / "model")
    found = list(work)
    notices = [e.message for e in found if isinstance(e, events.Notice)]
    assert any("not independent" in m for m in notices)
    assert load_bundle(tmp_path / "model").card.teachers.unit == "part of one image"


def test_a_loss_that_is_not_finite_stops_training_with_a_sound_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "model"
    work = iter_train(teachers(), settings(), out)
    for event in work:
        if isinstance(event, events.StepDone):
            break
    work.close()
    monkeypatch.setattr(
        "napari_sem_sr.training.optimise.losses.pixel_loss",
        lambda sr, hr: (sr * float("nan")).mean(),
    )
    with pytest.raises(TrainingError, match="diverged"):
        train(teachers(), settings(), out, resume=True)
    monkeypatch.undo()
    train(teachers(), settings(), out, resume=True)
    assert load_bundle(out).card.name == "model"


def test_resuming_with_other_settings_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "model"
    work = iter_train(teachers(), settings(), out)
    for event in work:
        if isinstance(event, events.StepDone):
            break
    work.close()
    with pytest.raises(TrainingError, match="different settings"):
        train(teachers(), settings(seed=1), out, resume=True)
    with pytest.raises(OutputError, match="unfinished training"):
        train(teachers(), settings(), out)


def test_an_existing_model_is_never_trained_over(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(OutputError, match="exists"):
        train(teachers(), settings(), tmp_path / "model")


def test_a_model_of_ones_own_is_not_named_like_one_that_comes_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sem_sr.training.trainer.user_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match="comes with napari-sem-sr"):
        train(teachers(), settings(), tmp_path / "sem-x4")
    assert list(tmp_path.iterdir()) == []


def test_teachers_smaller_than_a_patch_are_named(tmp_path: Path) -> None:
    small = [Teacher(discs(n, 20), f"stamp {n}", f"g{n}") for n in range(4)]
    with pytest.raises(InputError, match=r"'stamp \d'"):
        train(small, settings(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == [], "a refused teacher leaves nothing behind"


def test_resuming_a_finished_training_changes_nothing(tmp_path: Path) -> None:
    first = train(teachers(), settings(), tmp_path / "model")
    assert train(teachers(), settings(), tmp_path / "model", resume=True).content_hash == (
        first.content_hash
    )
    with pytest.raises(OutputError, match="other teachers"):
        train(teachers(5), settings(), tmp_path / "model", resume=True)


def test_lessons_come_from_content_more_than_from_background() -> None:
    image = np.full((64, 256), 10, np.uint8)
    image[:, 192:] = discs(0, 64)
    sampler = PatchSampler([Teacher(image, "t", "g")], 4, 8, torch.device("cpu"))
    lr, _ = sampler.draw(200, torch.Generator().manual_seed(0))
    busy = (lr.flatten(1).std(dim=1) > 0.05).float().mean()
    assert busy > 0.6


def test_lr_lessons_are_the_average_of_hr_lessons() -> None:
    sampler = PatchSampler(teachers(1), 4, 8, torch.device("cpu"))
    lr, hr = sampler.draw(3, torch.Generator().manual_seed(0))
    assert lr.shape == (3, 1, 8, 8) and hr.shape == (3, 1, 32, 32)
    torch.testing.assert_close(lr, hr.reshape(3, 1, 8, 4, 8, 4).mean(dim=(3, 5)))


def test_16_bit_teachers_are_learned_from_in_their_own_range() -> None:
    bright = [Teacher(discs(0).astype(np.uint16) * 200 + 5000, "t", "g")]
    dim = [Teacher(discs(0), "t", "g")]
    draws = [
        PatchSampler(t, 4, 8, torch.device("cpu")).draw(2, torch.Generator().manual_seed(3))[1]
        for t in (bright, dim)
    ]
    torch.testing.assert_close(draws[0], draws[1], atol=1e-3, rtol=1e-3)


def test_a_full_disk_stops_training_and_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_run, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    out = tmp_path / "model"
    real = Path.replace
    writes = 0

    def replace(self: Path, target: Path) -> Path:
        nonlocal writes
        writes += 1
        if writes > 2:
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OutputError, match="make room"):
        train(teachers(), settings(), out)
    monkeypatch.undo()
    train(teachers(), settings(), out, resume=True)
    assert out.exists()


def test_a_blank_teacher_is_left_out_before_training(tmp_path: Path) -> None:
    blank = Teacher(np.zeros_like(teachers()[0].image), "b_1", "blank")
    found = list(iter_train([*teachers(), blank], settings(epochs=1), tmp_path / "model"))
    assert any("no contrast: 'b_1'" in e.message for e in found if isinstance(e, events.Notice))
    assert load_bundle(tmp_path / "model").card.scores


@pytest.mark.parametrize(
    ("name", "trouble", "told", "said"),
    [
        ("model", ZeroDivisionError("none"), TrainingError, r"\(none\).*used without scores"),
        ("model.semsr", KeyboardInterrupt("killed"), KeyboardInterrupt, "killed"),
    ],
)
def test_what_goes_wrong_in_scoring_leaves_a_model_that_a_resumed_run_scores(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    trouble: BaseException,
    told: type[BaseException],
    said: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise trouble

    out = tmp_path / name
    with monkeypatch.context() as patched:
        patched.setattr(finish, "iter_assess", fail)
        with pytest.raises(told, match=said):
            train(teachers(), settings(epochs=1), out)
    left = load_bundle(out)
    assert left.card.scores == []
    assert left.card.gain("twin") is None
    assert "not been scored" in left.card.summary()
    lr = np.random.default_rng(0).integers(0, 255, (20, 24), np.uint8)
    assert LoadedModel.of(left).upscale(lr, device="cpu").shape == (80, 96)
    with pytest.raises(OutputError, match="unfinished training"):
        train(teachers(), settings(epochs=1), out)
    found = list(iter_train(teachers(), settings(epochs=1), out, resume=True))
    assert not any(isinstance(e, events.StepDone) for e in found), "no step is done twice"
    assert load_bundle(out).card.scores
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_the_second_training_of_one_model_is_told_of_the_first(tmp_path: Path) -> None:
    out = tmp_path / "model"
    first = iter_train(teachers(), settings(epochs=1), out)
    while not isinstance(next(first), events.StepDone):
        pass
    with pytest.raises(OutputError, match=f"written by another run .process {os.getpid()} "):
        train(teachers(), settings(epochs=1), out, resume=True)
    first.close()
    train(teachers(), settings(epochs=1), out, resume=True)
    assert load_bundle(out).card.scores
