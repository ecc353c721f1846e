from dataclasses import replace

import pytest

from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.verdict import lights, verdict

CONSISTENT = {
    "rse": 1.0,
    "rsp": 0.999,
    "chi2": 1.1,
    "fraction_beyond_3_sigma": 0.003,
    "residual_rms": 1.0,
    "lr_contrast": 30.0,
    "noise_sigma": 1.0,
}
DOMAIN = {
    "distance": 2.0,
    "threshold": 4.0,
    "p_value": None,
    "alarm": False,
    "reasons": [],
    "n_specimens": 9,
}
SCORES = {"psnr": 31.0, "bicubic_psnr": 30.0, "ssim": 0.9, "bicubic_ssim": 0.8, "frc_nm": 12.34}
REPORT = Report(
    lr={"voxel_nm": [10.0, 20.0, 20.0]},
    sr={"name": "cathode_sr"},
    hr=None,
    model=None,
    scores=None,
    consistency=CONSISTENT,
    invention=None,
    domain=DOMAIN,
    persistence=None,
    trust={"alpha": 0.1, "n_calibration": 3, "trusted_fraction": None, "refused": "too few"},
    regions=[],
    verdict="",
    limits=[],
)


def colours(**changes) -> list[str]:
    return [light.colour for light in lights(replace(REPORT, **changes))]


def test_each_light_answers_its_own_question_with_a_reason():
    assert colours() == ["green", "green", "red", "grey"]
    assert colours(consistency=None, domain=None, trust=None) == ["grey"] * 4
    assert all(light.why.endswith(".") for light in lights(REPORT))


@pytest.mark.parametrize(("rms", "colour"), [(1.0, "green"), (4.0, "amber"), (9.0, "red")])
def test_consistency_is_judged_by_noise_and_by_the_contrast_of_lr(rms, colour):
    found = {**CONSISTENT, "chi2": rms**2 + 1.5, "residual_rms": rms}
    assert colours(consistency=found)[0] == colour
    # within the noise of a noisy LR nothing is wrong
    assert colours(consistency={**found, "chi2": 1.0})[0] == "green"


def test_the_domain_light_is_red_with_an_alarm_and_amber_with_few_specimens():
    alarm = {**DOMAIN, "alarm": True, "reasons": ["its LR is noisier than every teacher's"]}
    assert colours(domain=alarm)[1] == "red"
    assert colours(domain={**DOMAIN, "n_specimens": 3})[1] == "amber"
    assert colours(domain={**DOMAIN, "threshold": None})[1] == "amber"
    assert "noisier" in verdict(replace(REPORT, domain=alarm, scores=SCORES))


def test_a_calibrated_mask_turns_the_third_light_green_and_says_what_it_promises():
    trust = {"alpha": 0.1, "n_calibration": 12, "trusted_fraction": 0.63, "refused": None}
    light = lights(replace(REPORT, trust=trust))[2]
    assert light.colour == "green"
    assert "63 %" in light.why and "12" in light.why


def test_without_hr_the_verdict_does_not_claim_truth():
    sentence = verdict(REPORT)
    assert "nothing proves" in sentence
    assert "20 nm" in sentence


def test_with_hr_the_verdict_says_the_gain_and_down_to_which_detail():
    sentence = verdict(replace(REPORT, scores=SCORES))
    assert "closer to HR than bicubic interpolation by 1.0 dB" in sentence
    assert "12.3 nm" in sentence
    worse = {**SCORES, "psnr": 28.0, "frc_nm": None}
    assert "farther from HR" in verdict(replace(REPORT, scores=worse))


def test_a_contradiction_comes_before_everything_else():
    wrong = {**CONSISTENT, "chi2": 80.0, "residual_rms": 9.0}
    assert "contradicts the LR" in verdict(replace(REPORT, consistency=wrong, scores=SCORES))


@pytest.mark.parametrize("scores", [None, SCORES])
def test_the_verdict_is_one_sentence(scores):
    sentence = verdict(replace(REPORT, scores=scores, regions=[{}, {}, {}]))
    assert sentence.endswith(".")
    assert ". " not in sentence
    assert "3 suspect places" in sentence


@pytest.mark.parametrize(
    ("value", "low", "colour"),
    [(2.0, 1.0, "green"), (0.8, -0.4, "green"), (0.2, -0.4, "amber"), (-0.2, -1.0, "red")],
)
def test_without_hr_the_gain_over_bicubic_is_foreseen(value, low, colour):
    expected = {"psnr_gain_over_bicubic_db": value, "low": low, "high": value + 1}
    report = replace(REPORT, expected=expected)
    assert lights(report)[3].colour == colour
    assert f"{value:+.1f} dB" in lights(report)[3].why
    said = verdict(report)
    if colour == "red":
        assert "no closer to the truth than bicubic" in said
    else:
        assert f"{value:.1f} dB closer" in said


@pytest.mark.parametrize(("gain", "colour"), [(1.0, "green"), (0.0, "amber"), (-0.5, "red")])
def test_with_hr_it_is_measured_and_no_difference_is_no_green_light(gain, colour):
    scores = {**SCORES, "psnr": SCORES["bicubic_psnr"] + gain}
    assert lights(replace(REPORT, scores=scores))[3].colour == colour
