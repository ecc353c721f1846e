"""The same weights in ONNX Runtime and OpenVINO; run by `measure.py` in an environment of its own.

Builds the network as an ONNX graph by hand (so that no exporter is needed), then answers lines on stdin:
``NAME SIDE`` is answered with the seconds of one slice, uint8 in and out, and the largest difference from the
answer that `measure.py` left beside the weights. ``names`` lists what is there.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

RESIDUAL_SCALE = 0.5


class Graph:
    """Nodes of an ONNX graph in the order in which they were added."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def convolution(self, x: str, layer: str) -> str:
        weight = self.weights[f"{layer}.weight"]
        side = weight.shape[-1]
        return self.node(
            "Conv",
            x,
            self.constant(weight),
            self.constant(self.weights[f"{layer}.bias"]),
            kernel_shape=[side, side],
            pads=[side // 2] * 4,
        )


def built(weights: dict[str, np.ndarray], factor: int, steps: list[int]) -> bytes:
    g = Graph(weights)
    head = x = g.convolution("x", "head")
    half = g.constant(np.float32(RESIDUAL_SCALE))
    blocks = len({k.split(".")[1] for k in weights if k.startswith("body.") and ".first." in k})
    for i in range(blocks):
        inner = g.node("Relu", g.convolution(x, f"body.{i}.first"))
        x = g.node("Add", x, g.node("Mul", g.convolution(inner, f"body.{i}.second"), half))
    x = g.node("Add", g.convolution(x, f"body.{blocks}"), head)
    for i, step in enumerate(steps):
        x = g.convolution(x, f"upscale.{3 * i}")
        x = g.node("Relu", g.node("DepthToSpace", x, blocksize=step, mode="CRD"))
    detail = g.convolution(x, "tail")
    scales = g.constant(np.array([1, 1, factor, factor], np.float32))
    skip = g.node(
        "Resize",
        "x",
        "",
        scales,
        mode="cubic",
        cubic_coeff_a=-0.75,
        coordinate_transformation_mode="half_pixel",
    )
    g.nodes.append(helper.make_node("Add", [skip, detail], ["y"]))
    shape = [1, 1, "h", "w"]
    graph = helper.make_graph(
        g.nodes,
        "generator",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, "fh", "fw"])],
        g.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def runtimes(model: bytes, threads: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    core = openvino.Core()
    read = core.read_model(model=model, weights=b"")

    def openvino_at(precision: str) -> Callable[[np.ndarray], np.ndarray]:
        config = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
        compiled = core.compile_model(read, "CPU", config)
        return lambda x: compiled(x)[0]

    return {
        f"ONNX Runtime {onnxruntime.__version__}, fp32": lambda x: session.run(None, {"x": x})[0],
        f"OpenVINO {openvino.__version__.split('-')[0]}, fp32": openvino_at("f32"),
        f"OpenVINO {openvino.__version__.split('-')[0]}, bf16": openvino_at("bf16"),
    }


def main() -> None:
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    stored = dict(np.load(folder / "network.npz"))
    factor, steps = int(stored.pop("factor")), [int(s) for s in stored.pop("steps")]
    ready = runtimes(built(stored, factor, steps), threads)
    for line in sys.stdin:
        name, _, side = line.strip().rpartition(" ")
        if side == "names":
            print("\t".join(ready), flush=True)
            continue
        lr = np.load(folder / f"lr{side}.npy")
        begun = time.perf_counter()
        sr = ready[name](lr[None, None].astype(np.float32) / 255)[0, 0]
        grey = np.clip(np.rint(sr * 255), 0, 255).astype(np.uint8)
        seconds = time.perf_counter() - begun
        expected = np.load(folder / f"sr{side}.npy")
        difference = int(np.abs(grey.astype(int) - expected).max())
        print(f"{seconds} {difference}", flush=True)


if __name__ == "__main__":
    main()
