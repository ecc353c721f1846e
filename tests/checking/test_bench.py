from napari_sem_sr.checking.bench import CheckBenchSettings, iter_bench_checking
from napari_sem_sr.events import drain
from napari_sem_sr.model.bundle import Model


def test_checking_stands_beside_upscaling_the_same_slices(model: Model):
    settings = CheckBenchSettings(device="cpu", sides=(32,), rounds=2, cpu_time=True)
    document = drain(iter_bench_checking(model, settings))
    assert document["seconds_of"] == "processor"
    found = document["slices"]["32"]
    assert all(found[name] > 0 for name in ("upscale", "check", "twin"))
    assert found["check"] > found["twin"]
    assert found["ratio"] == round(found["check"] / found["upscale"], 3)
