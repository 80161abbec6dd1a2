"""Write a method as an ONNX file, and see that the file restores as the method does."""

import contextlib
import logging
import math
import os
import warnings
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from conf.compose import config_of
from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import REFERENCE_RATE_HZ, open_method
from lightning_modules.commands.parity import differences
from lightning_modules.runs.checkpoint import find_checkpoint, read_checkpoint, run_folder
from lightning_modules.runs.halves import write_halves
from lightning_modules.runs.plugins import import_plugins
from lightning_modules.runs.release import project_version
from lightning_modules.runs.shipped import DESCRIPTION, WEIGHTS, shipped_or
from machine.console import printable
from models.exporting.graphs import SignalGraph, graph_of
from models.exporting.refusal import NotExportableError
from models.exporting.streaming import StreamGraph
from models.restorer import SegmentedRestorer

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
LARGEST_DIFFERENCE = 1e-4
"""Of a sample, at full scale 1, from what the project itself restores."""
DESCRIBED = ("choices", "corruption", "data", "trainer", "seed", "ema_decay")
"""What is told of a training beside its method."""
FOLDED_VALUES = 1024
"""Of a constant that is computed beforehand; larger ones, such as matrices of cosines, when the file is opened."""


def export(name: str, output: Path, trusted: Sequence[str] = ()) -> int:
    """Write a method, tell what the file holds and how far it is from the method, and return the exit code.

    Args:
        name: a checkpoint file or a run folder.
        output: where the file goes; only one that restores alike stays.
        trusted: names of packages whose classes may be created beside those of this project.

    Raises:
        ValueError: if there is no such method, it cannot be exported, or the extra is not installed.
        OSError: if the file cannot be written.
    """
    if not output.parent.is_dir():
        raise ValueError(f"-o {output}: there is no folder {output.parent}")
    module = open_method(name, "cpu", import_plugins(trusted, "--trust"))(REFERENCE_RATE_HZ)
    graph = checked_graph(module)
    if missing := [package for package in PACKAGES if find_spec(package) is None]:
        raise ValueError(f"clarion-export needs the packages {', '.join(missing)}: pip install '.[export]'")
    with _beside(output) as path:
        opset = write_graph(graph, module, path)
        print(f"{type(module.net).__name__} at {module.sample_rate} Hz, opset {opset}, {described(module, graph)['input']}")
        largest = tell_differences(module, path)
        if largest > LARGEST_DIFFERENCE:
            raise NotExportableError(f"it differs by {largest:.1e}, at most {LARGEST_DIFFERENCE:g} is right; nothing is written")
        os.replace(path, output)
    print(f"wrote {printable(output)}, {output.stat().st_size / 1e6:.1f} MB")
    return 0


def export_halves(name: str, folder: Path) -> int:
    """Write the weights of a run in float16 and what it was trained on, for others to restore by, and return the exit code.

    Args:
        name: a run folder, a checkpoint in one, or a shipped model.
        folder: for the files.

    Raises:
        ValueError: if there is no such run, or float16 cannot hold its weights.
        OSError: if the files cannot be written.
    """
    file = find_checkpoint(Path(shipped_or(name)))
    checkpoint, config = read_checkpoint(file), config_of(run_folder(file)) or {}
    description = {"model": checkpoint["model_config"], **{key: config[key] for key in DESCRIBED if key in config}}
    write_halves(checkpoint["state_dict"], description, folder)
    print(f"wrote {printable(folder / WEIGHTS)}, {(folder / WEIGHTS).stat().st_size / 1e6:.1f} MB, and {DESCRIPTION} beside it")
    return 0


def checked_graph(module: RestorationModule) -> SignalGraph | StreamGraph:
    """Return the graph of a method that restores by its network alone.

    Raises:
        NotExportableError: naming the method, and why it has none.
    """
    if type(module).restore is not RestorationModule.restore:
        name = type(module).__name__
        raise NotExportableError(f"{name} cannot be exported: it refines what its network restores, as far as each signal needs")
    return graph_of(module.net)


def described(module: RestorationModule, graph: SignalGraph | StreamGraph) -> dict[str, str]:
    """Return what the file says of itself, texts by name."""
    told: dict[str, Any] = {
        "project": "clarion",
        "project_version": project_version(),
        "method": f"{type(module.net).__module__}.{type(module.net).__name__}",
        "sample_rate_hz": module.sample_rate,
        "channels": "any",
    }
    if isinstance(graph, StreamGraph):
        delay = graph.net.delay_samples
        told |= {"input": "a block and a state", "block_samples": graph.block_samples, "delay_samples": delay}
        return {key: str(value) for key, value in (told | {"state_values": graph.state_values}).items()}
    division = module.chunking()
    told |= {"input": "a segment" if isinstance(module.net, SegmentedRestorer) else "a signal of any length"}
    told |= {"chunk_samples": division.chunk_samples}
    told |= {"overlap_samples": division.overlap_samples, "margin_samples": division.margin_samples}
    return {key: str(value) for key, value in (told | {"grid_samples": division.grid_samples}).items()}


def write_graph(graph: SignalGraph | StreamGraph, module: RestorationModule, path: Path) -> int:
    """Write a graph for any number of channels and, but for a stream, samples; return the version of its operators.

    Args:
        graph: of the method.
        module: the method.
        path: of the file.
    """
    from onnxscript import optimizer

    with _quietly():
        program = torch.onnx.export(
            graph, inputs_of(graph, module), dynamo=True, verbose=False, optimize=False, **names_of(graph)
        )
        assert program is not None
        # Rewriting, which `optimize` does too, takes small numbers beside sums, such as floors of powers, for zeros.
        limits = {"input_size_limit": FOLDED_VALUES, "output_size_limit": FOLDED_VALUES}
        optimizer.fold_constants(program.model, onnx_shape_inference=False, **limits)
        optimizer.remove_unused_nodes(program.model)
    program.model.metadata_props.update(described(module, graph))
    program.save(path)
    return int(program.model.opset_imports[""])


def inputs_of(graph: SignalGraph | StreamGraph, module: RestorationModule) -> tuple[torch.Tensor, ...]:
    """Return what a graph is followed with: noise, (2, T), and for a stream a state that is no beginning."""
    noise = torch.Generator().manual_seed(0)
    if isinstance(graph, StreamGraph):
        return tuple(0.1 * torch.rand(2, size, generator=noise) for size in (graph.block_samples, graph.state_values))
    return (0.1 * torch.randn(2, max(module.sample_rate, 2 * module.net.min_samples) + 1, generator=noise),)  # type: ignore[operator]


def names_of(graph: SignalGraph | StreamGraph) -> dict[str, Any]:
    """Return how inputs and outputs are called, and which of their dimensions are free."""
    if isinstance(graph, StreamGraph):
        names = {"input_names": ["audio", "state"], "output_names": ["restored", "next_state"]}
        channels = torch.export.Dim("channels")
        return {**names, "dynamic_shapes": ({0: channels}, {0: channels})}
    free = ({0: "channels", 1: "samples"},)
    return {"input_names": ["audio"], "output_names": ["restored"], "dynamic_shapes": free}


def tell_differences(module: RestorationModule, path: Path) -> float:
    """Print how far the file is from the method, for several signals, and return the largest difference."""
    largest = 0.0
    for (channels, samples), difference in differences(module, path):
        seconds = samples / module.sample_rate
        print(f"{seconds:8.3f} s, {channels} channel{'s' * (channels > 1)}: differs by at most {difference:.1e}")
        largest = max(largest, math.inf if math.isnan(difference) else difference)
    return largest


@contextlib.contextmanager
def _beside(output: Path) -> Iterator[Path]:
    """Give a path beside a file; what is left there afterwards is removed."""
    path = output.with_name(f"{output.name}.partial")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Leave out what the exporter says of packages that it does without, and of its own calls."""
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`isinstance\\(treespec, LeafSpec\\)", FutureWarning)
            warnings.filterwarnings("ignore", "# The axis name: .* will not be used", UserWarning)
            yield
    finally:
        logger.setLevel(level)
