"""Compiled training is the same training, with the same checkpoints, and where there is none a sentence says so."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from conf.settings import TrainSettings
from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.averaging import WEIGHTS
from lightning_modules.callbacks.compiling import compile_parts
from lightning_modules.commands.compiling import check_compiling, is_of_compiler
from lightning_modules.commands.train import train
from lightning_modules.runs.checkpoint import load_restorer
from models.restorer import Restorer
from tests.models.small import description, shrunk, untrained, with_weights

SMALL = ("model=unet_small", "model.net.depth=2", "model.net.channels=[6,8]", "model.net.kernels=[9,5]")
FEW = ("examples=0", *(f"trainer.limit_{part}_batches={count}" for part, count in (("train", 2), ("val", 1), ("test", 1))))
SLOW = ("unet_published", "mugan_small", "unet_gan_small", "conv_rnn", "mask_net", "band_net", "band_net_gan")
COMPILED = ("unet_small", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW))
OWN_LOOK = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Capture graphs and run them as they are, so that no C++ compiler is needed; return those that were captured."""
    captured: list[Any] = []

    def backend(graph: Any, inputs: Any) -> Any:
        captured.append(graph)
        return graph.forward

    torch._dynamo.reset()
    original = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, **options: original(model, backend=backend))
    monkeypatch.setattr(nn.Module, "compile", lambda self, **options: setattr(
        self, "_compiled_call_impl", original(self._call_impl, backend=backend, fullgraph=True)
    ))  # fmt: skip
    yield captured
    torch._dynamo.reset()


def stepped(module: RestorationModule) -> dict[str, Tensor]:
    """Return the outputs of all parts' networks in training, and the gradients they lead to."""
    torch.manual_seed(0)
    signal = 0.1 * torch.randn(2, 1, 4096, generator=torch.Generator().manual_seed(1))
    module.train()
    restored = module.restore(signal)
    loss = restored.square().mean()
    judge = getattr(module, "discriminator", None)
    if judge is not None:
        loss = loss + judge(restored, signal)[0].square().mean()
    loss.backward()
    return {"restored": restored, **{name: value.grad for name, value in module.named_parameters() if value.grad is not None}}


@OWN_LOOK
@pytest.mark.parametrize("name", COMPILED)
def test_parts_are_one_graph_each_that_computes_the_same(name: str, graphs: list[Any]) -> None:
    plain, compiled = (with_weights(untrained(shrunk(description(name)))) for _ in range(2))
    compile_parts(compiled)
    assert list(compiled.state_dict()) == list(plain.state_dict())
    expected, found = stepped(plain), stepped(compiled)
    assert len(graphs) >= len(compiled.compiled_parts) > 0
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-4, atol=1e-6, msg=key)


def test_discriminator_with_a_penalty_on_its_gradient_is_left_as_it_is() -> None:
    described = shrunk(description("mugan_small"))
    plain = untrained(described)
    described["penalty_weights"] = {"r1": 1.0}
    described["discriminator"]["norm"] = "layer"
    assert len(plain.compiled_parts) == 2 and len(untrained(described).compiled_parts) == 1


def test_compiled_training_is_the_plain_one_with_the_same_checkpoints(
    train_config: Callable[..., TrainSettings],
    graphs: list[Any],
    tmp_path: Path,
) -> None:
    results = {}
    for run, choice in (("plain", "compile=false"), ("compiled", "compile=true")):
        results[run] = train(train_config(*SMALL, *FEW, choice, "trainer.precision=32-true", run=run))
        assert bool(graphs) == (run == "compiled")
    saved = [torch.load(tmp_path / run / "checkpoints" / "last.ckpt", weights_only=True) for run in results]
    for place in ("state_dict", WEIGHTS):
        assert list(saved[0][place]) == list(saved[1][place])
        torch.testing.assert_close(saved[1][place], saved[0][place], rtol=1e-5, atol=1e-6)
    scores = [result["metrics"]["test/si_sdr_db"] for result in results.values()]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)
    assert results["plain"]["manifest_hash"] == results["compiled"]["manifest_hash"]
    signal = 0.1 * torch.randn(1, 1, 2000, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        restored = [load_restorer(tmp_path / run).restore(signal) for run in results]
    torch.testing.assert_close(restored[1], restored[0], rtol=0, atol=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_and_without(train_config: Callable[..., TrainSettings], graphs: list[Any], tmp_path: Path) -> None:
    settings = [*SMALL, *FEW, "trainer.precision=32-true"]
    whole = train(train_config(*settings, "trainer.max_epochs=3", run="whole"))
    train(train_config(*settings, "trainer.max_epochs=1", run="parts"))
    for epochs, choice in ((2, "compile=true"), (3, "compile=false")):
        given = f"resume={tmp_path / 'parts'}"
        parts = train(train_config(*settings, f"trainer.max_epochs={epochs}", choice, given, run="parts"))
    assert graphs and parts["metrics"]["test/si_sdr_db"] == pytest.approx(whole["metrics"]["test/si_sdr_db"], abs=1e-3)


class Plain(Restorer):
    reach_samples = 0

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted


def test_a_method_without_such_a_part_is_refused() -> None:
    with pytest.raises(ValueError, match="compile=true is not possible: no part of model.net=Plain is compiled; compile=false"):
        check_compiling(RestorationModule(Plain(), 8000), torch.device("cpu"))


def test_a_machine_without_a_compiler_is_told_before_there_is_a_run(
    train_config: Callable[..., TrainSettings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(function: Any) -> Any:
        raise RuntimeError("No working C++ compiler found\nin several lines")

    monkeypatch.setattr(torch, "compile", fail)
    told = r"compile=true is not possible: torch.compile needs a C\+\+ compiler, such as g\+\+ for cpu \(No working C\+\+ comp"
    with pytest.raises(ValueError, match=told):
        train(train_config(*SMALL, *FEW, "compile=true"))
    assert not (tmp_path / "run").exists()


def test_a_network_that_cannot_be_compiled_is_one_sentence(
    train_config: Callable[..., TrainSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no such code")

    torch._dynamo.reset()
    original = torch.compile
    monkeypatch.setattr("lightning_modules.commands.train.check_compiling", lambda module, device: None)
    monkeypatch.setattr(nn.Module, "compile", lambda self, **options: setattr(
        self, "_compiled_call_impl", original(self._call_impl, backend=refuse)
    ))  # fmt: skip
    with pytest.raises(ValueError, match="compile=true is not possible with this method: .*no such code.*; compile=false trains"):
        train(train_config(*SMALL, *FEW, "compile=true", "trainer.num_sanity_val_steps=0"))
    torch._dynamo.reset()


def test_other_errors_are_not_of_the_compiler() -> None:
    assert not is_of_compiler(RuntimeError("out of memory"))


@pytest.mark.slow
def test_code_of_the_compiler_computes_the_same() -> None:
    plain, compiled = (with_weights(untrained(shrunk(description("unet_small")))) for _ in range(2))
    check_compiling(compiled, torch.device("cpu"))
    compile_parts(compiled)
    expected, found = stepped(plain), stepped(compiled)
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=1e-4, atol=1e-5, msg=key)
