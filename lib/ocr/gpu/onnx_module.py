"""Make torch modules of the ONNX files of PP-OCR.

`onnx2pytorch` can, too, but its modules copy tables and look up classes in every pass: 8 to 14 ms
of Python, in which a card waits. These are plain code, with what belongs together fused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, fx, nn
from torch.fx.subgraph_rewriter import replace_pattern
from torch.nn import functional

Operand = fx.Node | list[int | float] | float
"""A result or a weight, the numbers of a shape or of scales, or a number."""

SQRT_2: float = 1.4142135381698608  # in float32


def read_module(path: Path) -> nn.Module:
    """Build the torch module of an ONNX file: normalised images (N, 3, H, W) to its output.

    Raises:
        NotImplementedError: The file has an operator that PP-OCR's networks do not have.
    """
    graph = onnx.load(path).graph
    builder = _Builder(graph)
    for node in graph.node:
        builder.add(node)
    module = builder.build(graph.output[0].name)
    for pattern, instead in FUSIONS:
        replace_pattern(module, pattern, instead)
    return module


class _Builder:
    """A torch module in the making, node by node of an ONNX graph."""

    def __init__(self, model: onnx.GraphProto) -> None:
        self._root, self._graph = nn.Module(), fx.Graph()
        self._uses = Counter(name for node in model.node for name in node.input)
        resizes = [node for node in model.node if node.op_type == "Resize"]
        self._scales = {name for node in resizes for name in node.input[1:]}
        self._values: dict[str, Operand] = {
            model.input[0].name: self._graph.placeholder("images"),
            **{one.name: self._keep(one) for one in model.initializer},
        }

    def _keep(self, initializer: onnx.TensorProto) -> Operand:
        """Keep a constant: weights in the module, the numbers of shapes and scales in its code."""
        constant = numpy_helper.to_array(initializer)
        if constant.dtype.kind == "i" or initializer.name in self._scales:
            numbers: list[int | float] = constant.ravel().tolist()
            return numbers
        if not constant.ndim:
            return float(constant)
        name = f"weights_{len(list(self._root.buffers()))}"
        self._root.register_buffer(name, torch.tensor(constant))
        return self._graph.get_attr(name)

    def add(self, node: onnx.NodeProto) -> None:
        """Add a node; one that adds a bias to a convolution becomes part of it.

        Raises:
            NotImplementedError: Its operator is unknown.
        """
        operands = [self._values[name] for name in node.input]
        if node.op_type not in OPERATORS:
            raise NotImplementedError(f"ONNX operator {node.op_type}")
        if node.op_type == "Identity" or self._takes_bias(node, *operands):
            self._values[node.output[0]] = operands[0]
        else:
            call = OPERATORS[node.op_type], tuple(operands), read_attributes(node)
            self._values[node.output[0]] = self._graph.call_function(*call)

    def _takes_bias(self, node: onnx.NodeProto, *operands: Operand) -> bool:
        """Tell whether a node adds a bias to a convolution that only it uses, and give it that."""
        found, bias = (*operands, 0.0, 0.0)[:2]
        if not (isinstance(found, fx.Node) and isinstance(bias, fx.Node) and node.op_type == "Add"):
            return False
        is_alone = found.target in (convolve, spread) and len(found.args) == 2
        if not is_alone or bias.op != "get_attr" or self._uses[node.input[0]] > 1:
            return False
        values: Tensor = getattr(self._root, str(bias.target))
        setattr(self._root, str(bias.target), values.flatten())
        with self._graph.inserting_before(found):
            found.args = (*found.args, self._graph.get_attr(str(bias.target)))
        return True

    def build(self, output: str) -> fx.GraphModule:
        """Return the module whose output has this name."""
        self._graph.output(self._values[output])
        return fx.GraphModule(self._root, self._graph)


def read_attributes(node: onnx.NodeProto) -> dict[str, fx.node.Argument]:
    """Read the attributes of a node."""
    found = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    return {
        name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()
    }


# The operators, as in the specification of ONNX, where PP-OCR's networks use them. Shapes are
# lists of numbers, and a single number of a shape is a list of one.


def convolve(
    images: Tensor,
    weights: Tensor,
    bias: Tensor | None = None,
    *,
    kernel_shape: list[int],
    strides: list[int],
    dilations: list[int],
    group: int,
    pads: list[int] | None = None,
    auto_pad: str = "NOTSET",
) -> Tensor:
    """Apply `Conv`, whose padding is alike on both sides or as `pad_to_same` gives it.

    Two in three look at one pixel. Those are products of matrices, which cuBLAS begins at once,
    while cuDNN plans a convolution for a millisecond for every new size, in every thread.
    """
    if kernel_shape == strides == [1, 1] and group == 1:
        rows = functional.linear(images.permute(0, 2, 3, 1), weights.flatten(1), bias)
        return rows.permute(0, 3, 1, 2)
    if auto_pad == "SAME_UPPER":
        images = pad_to_same(images, kernel_shape, 0.0)
    return functional.conv2d(images, weights, bias, strides, (pads or [0, 0])[:2], dilations, group)


def spread(
    images: Tensor,
    weights: Tensor,
    bias: Tensor | None = None,
    *,
    strides: list[int],
    **others: object,
) -> Tensor:
    """Apply `ConvTranspose` without padding."""
    return functional.conv_transpose2d(images, weights, bias, strides)


def pool(images: Tensor, *, kernel_shape: list[int], **others: object) -> Tensor:
    """Apply `MaxPool` with stride 1 and output of the input's size."""
    return functional.max_pool2d(pad_to_same(images, kernel_shape, -torch.inf), kernel_shape, 1)


def pad_to_same(images: Tensor, kernel: list[int], value: float) -> Tensor:
    """Pad so that a kernel with stride 1 leaves the size as it is, more at right and bottom."""
    height, width = (side - 1 for side in kernel)
    sides = [width // 2, width - width // 2, height // 2, height - height // 2]
    return functional.pad(images, sides, value=value)


def average(images: Tensor, *, axes: list[int] | None = None, keepdims: int = 1) -> Tensor:
    """Apply `ReduceMean` or `GlobalAveragePool`."""
    return images.mean(axes or [2, 3], bool(keepdims))


def pool_average(
    images: Tensor, *, kernel_shape: list[int], strides: list[int], **others: object
) -> Tensor:
    """Apply `AveragePool` without padding."""
    return functional.avg_pool2d(images, kernel_shape, strides)


def normalise(
    images: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    *,
    epsilon: float,
    momentum: float,
) -> Tensor:
    """Apply `BatchNormalization`."""
    return functional.batch_norm(images, mean, variance, weight, bias, eps=epsilon)


def clip_linear(values: Tensor, *, alpha: float, beta: float) -> Tensor:
    """Apply `HardSigmoid`."""
    return (alpha * values + beta).clamp(0, 1)


def enlarge(images: Tensor, region: list[float], scales: list[float], **others: object) -> Tensor:
    """Apply `Resize` by whole numbers, each pixel repeated."""
    return functional.interpolate(images, scale_factor=scales[2:])


def take_slice(
    values: Tensor | list[int],
    starts: list[int],
    ends: list[int],
    axes: list[int],
    steps: list[int] | None = None,
) -> Tensor | list[int]:
    """Apply `Slice` along one axis."""
    if isinstance(values, list):
        return values[starts[0] : ends[0]]
    return values.narrow(axes[0], starts[0], ends[0] - starts[0])


def squeeze(values: Tensor | list[int], *, axes: list[int]) -> Tensor | list[int]:
    """Apply `Squeeze`."""
    return values if isinstance(values, list) else values.squeeze(tuple(axes))


def unsqueeze(values: Tensor | list[int], *, axes: list[int]) -> Tensor | list[int]:
    """Apply `Unsqueeze` to one axis."""
    return values if isinstance(values, list) else values.unsqueeze(axes[0])


def concatenate(*values: Tensor | list[int], axis: int) -> Tensor | list[int]:
    """Apply `Concat`."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    return torch.cat(tensors, axis) if tensors else [n for value in values for n in value]


def reshape(values: Tensor | list[int], shape: list[int]) -> Tensor | list[int]:
    """Apply `Reshape`, where 0 stands for the side as it is."""
    if isinstance(values, list):
        return values
    return values.reshape([side or values.shape[axis] for axis, side in enumerate(shape)])


def normalise_rows(values: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    """Normalise along the last axis, in one step that keeps float16 from overflowing."""
    return functional.layer_norm(values, weight.shape, weight, bias, epsilon)


OPERATORS: dict[str, Callable[..., object]] = {
    **{"Conv": convolve, "ConvTranspose": spread, "BatchNormalization": normalise},
    **{"MaxPool": pool, "AveragePool": pool_average, "GlobalAveragePool": average},
    **{"ReduceMean": average, "Resize": enlarge, "HardSigmoid": clip_linear},
    **{"Relu": torch.relu, "Sigmoid": torch.sigmoid, "Erf": torch.erf, "Sqrt": torch.sqrt},
    **{"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Pow": torch.pow},
    **{"MatMul": torch.matmul, "Softmax": lambda values, *, axis: values.softmax(axis)},
    "Transpose": lambda values, *, perm: values.permute(perm),
    "Shape": lambda values: list(values.shape),
    **{"Slice": take_slice, "Squeeze": squeeze, "Unsqueeze": unsqueeze, "Reshape": reshape},
    **{"Concat": concatenate, "Identity": lambda values: values},
}
fx.wrap("average")
fx.wrap("normalise_rows")


def _spell_gelu(x: Tensor) -> Tensor:
    return torch.mul(torch.mul(x, torch.add(torch.erf(torch.div(x, SQRT_2)), 1.0)), 0.5)


def _spell_swish(x: Tensor) -> Tensor:
    return torch.mul(x, torch.sigmoid(x))


def _fuse_rows(epsilon: float) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    def spell(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        from_mean = torch.sub(x, average(x, axes=[-1]))
        variance = torch.add(average(torch.pow(from_mean, 2.0), axes=[-1]), epsilon)
        return torch.add(torch.mul(torch.div(from_mean, torch.sqrt(variance)), weight), bias)

    return spell, lambda x, weight, bias: normalise_rows(x, weight, bias, epsilon)


FUSIONS: tuple[tuple[Callable[..., Tensor], Callable[..., Tensor]], ...] = (
    (_spell_gelu, lambda x: functional.gelu(x)),
    (_spell_swish, lambda x: functional.silu(x)),
    *map(_fuse_rows, (9.999999747378752e-06, 9.999999974752427e-07)),
)
"""Functions that the files spell out in steps, and the same in one."""
