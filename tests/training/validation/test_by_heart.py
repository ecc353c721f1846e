"""The verdict on overfitting: what curves of known and unseen images say."""

from napari_sem_sr.training.validation.overfitting import judge


def curve(unseen: list[float], known: list[float], stage: str = "twin") -> list[dict]:
    """Gains in dB over bicubic, looked at every ten epochs."""
    return [
        {
            "stage": stage,
            "epoch": 10 * (n + 1),
            "scores": {
                "psnr": 25 + u, "bicubic_psnr": 25.0, "train_psnr": 26 + k, "train_bicubic_psnr": 26.0,
            },
        }
        for n, (u, k) in enumerate(zip(unseen, known, strict=True))
    ]  # fmt: skip


def test_a_teacher_learned_by_heart_is_named_though_unseen_never_falls() -> None:
    # measured: one teacher of 96 × 96 pixels, 500 epochs
    unseen = [0.0, 0.4, 2.87, 3.2, 3.4, 3.55, 3.62, 3.66, 3.67, 3.68]
    known = [0.0, 0.5, 3.23, 3.8, 4.3, 4.75, 5.1, 5.35, 5.51, 5.55]
    found = judge(curve(unseen, known))
    assert not found.sound and "by heart" in found.sentence
    assert found.stage == "twin" and found.since_epoch in (50, 60)


def test_a_teacher_that_is_merely_easier_than_the_rest_is_not() -> None:
    # measured: one teacher of 192 × 192 pixels, a small network
    unseen = [0.0, 0.5, 3.37, 3.71, 3.88, 3.97, 4.01, 4.04]
    known = [0.01, 0.49, 3.68, 4.06, 4.26, 4.34, 4.43, 4.46]
    assert judge(curve(unseen, known)).sound


def test_a_model_that_never_beats_bicubic_is_not_said_to_know_by_heart() -> None:
    found = judge(curve([-0.5, -0.4, -0.3, -0.3], [-0.5, 0.0, 0.4, 0.8]))
    assert "by heart" not in found.sentence
