"""A part as an ONNX file, and that file run by ONNX Runtime."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx
import torch
from torch import Tensor
from torch.export import ExportedProgram

from fer_core.config import FERConfig
from fer_core.export.parts import BATCH, Part, Runner
from fer_core.onnx_runtime import onnxruntime

CONFIG_KEY = "fer.config"  # in the metadata of every file: the configuration as JSON
PORTS_KEY = "fer.ports"  # inputs and outputs with what they mean, as JSON
LEAST_OUTPUTS = 16  # of a product that is worth int8


def save_onnx(part: Part, program: ExportedProgram, config: FERConfig, path: Path) -> None:
    """Write ``program``, the trace of ``part``, as one file that says what it is.

    By torch's exporter of 2024 (``dynamo=True``): the older one writes ParakeetEncoder silently
    wrong.

    Raises:
        OSError: it cannot be written.
    """
    with _without_chatter():
        written = torch.onnx.export(
            program,
            part.example,
            dynamo=True,
            input_names=[port.name for port in part.inputs],
            output_names=[port.name for port in part.outputs],
            # Only to name the axis: the trace knows that the others' are the same.
            dynamic_shapes=({0: BATCH}, *({} for _ in part.example[1:])),
            verbose=False,
        )
    assert written is not None  # it is None for the older exporter only
    written.model.metadata_props[CONFIG_KEY] = json.dumps(config.as_json())
    written.model.metadata_props[PORTS_KEY] = json.dumps(
        {port.name: f"{port.shape}: {port.meaning}" for port in (*part.inputs, *part.outputs)}
    )
    written.save(path)


def quantise(path: Path, smaller: Path) -> None:
    """Write the file at ``path`` again with int8 weights.

    Dynamic quantisation: activations get their scale when the file runs, weights one per output
    channel. MatMul only: FastConformer's convolutions in int8 are slower than in float32. Products
    that choose stay exact, or another patch would be looked at.
    (Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference".)
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic  # after it was told

    model = onnx.load(path)
    _give_gemms_their_own_weights(model.graph)
    del model.graph.value_info[:]  # shapes of weights before they are transposed; found again
    with _without_chatter():
        quantize_dynamic(
            model,
            smaller,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=[*_narrow_products(model.graph), *_of_functionals(model.graph)],
            per_channel=True,
            weight_type=QuantType.QInt8,
        )


def onnx_runner(path: Path) -> Runner:
    """The part in the file at ``path``, on one thread of the CPU.

    Raises:
        onnxruntime.capi.onnxruntime_pybind11_state.Fail: it is no ONNX file, or a broken one.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Waiting threads sleep: between two hops they would take the cores from camera and window.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]

    def run(*inputs: Tensor) -> tuple[Tensor, ...]:
        feed = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
        return tuple(torch.from_numpy(output) for output in session.run(None, feed))

    return run


def _narrow_products(graph: onnx.GraphProto) -> list[str]:
    """Products with few outputs: the ROI's centre, a patch's importance, the eight logits."""
    shapes = {weight.name: weight.dims for weight in graph.initializer}
    narrow = []
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in shapes:
            dims = shapes[node.input[1]]
            outputs, name = dims[-1] if len(dims) > 1 else 1, node.name
        elif node.op_type == "Gemm":  # the quantiser makes a MatMul of it
            outputs, name = shapes[node.input[1]][0], f"{node.name}_MatMul"
        else:
            continue
        if outputs < LEAST_OUTPUTS:
            narrow.append(name)
    return narrow


def _of_functionals(graph: onnx.GraphProto) -> list[str]:
    """Products with filters that are not learnt, whose results are told apart by small amounts."""
    return [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and any(".functionals." in name for name in node.input)
    ]


def _give_gemms_their_own_weights(graph: onnx.GraphProto) -> None:
    """The quantiser (onnxruntime 1.31) transposes a Gemm's weight in place, for all who use it.

    The classifier's is used twice, for the clip and for the segments.
    """
    uses = Counter(name for node in graph.node for name in node.input)
    weights = {weight.name: weight for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Gemm" and uses[node.input[1]] > 1:
            own = graph.initializer.add()
            own.CopyFrom(weights[node.input[1]])
            own.name = node.input[1] = f"{node.name}.weight"


@contextmanager
def _without_chatter() -> Iterator[None]:
    """The exporter warns of each missing torchvision operator, the quantiser of its own habits."""
    root, exporter = logging.getLogger(), logging.getLogger("torch.onnx")
    levels = root.level, exporter.level
    root.setLevel(logging.ERROR)
    exporter.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(levels[0])
        exporter.setLevel(levels[1])
