"""Every method of conf/model, also one that was added yesterday, keeps what its class promises; a class that does not is seen."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from conf.compose import FOLDER
from models.restorer import Restorer
from tests.models.contracts import CONTRACTS, Subject, broken
from tests.models.small import description, names, shrunk, subject_of, with_few_steps

NAMES = names()
SHRUNK = [name for name in NAMES if shrunk(description(name)) != description(name)]


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject]:
    return {}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_a_method_keeps_its_promises(name: str, contract: Callable[[Subject], None], subjects: dict[str, Subject]) -> None:
    subject = subjects.setdefault(name, subject_of(shrunk(description(name))))
    with torch.no_grad():
        contract(subject)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHRUNK)
def test_a_method_keeps_its_promises_at_its_own_size(name: str) -> None:
    assert broken(subject_of(with_few_steps(description(name)))) == {}


class Same(Restorer):
    """Keeps everything that it promises; the ones below each break one thing."""

    level_free = True
    reach_samples = 0

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted.clone()


class NotTheIdentity(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return 0.5 * corrupted


class ButTheIdentity(Same):
    identity_at_start = False


class Floored(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted + 1e-5


class NotSayingLevelFree(Same):
    level_free = False


class MonoOnly(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return functional.conv1d(corrupted, torch.ones(1, 1, 1))


class StereoWithoutASentence(Same):
    channels = 2

    def forward(self, corrupted: Tensor) -> Tensor:
        return functional.conv1d(corrupted, torch.eye(2)[..., None])


class StereoThatTakesAll(Same):
    channels = 2


class EvenLengthsOnly(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted.unflatten(-1, (-1, 2)).flatten(-2)


class CroppedToEven(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted[..., : corrupted.shape[-1] // 2 * 2].clone()


class NoneOfShort(Same):
    min_samples = 16

    def forward(self, corrupted: Tensor) -> Tensor:
        if corrupted.shape[-1] < 16:
            raise ValueError("too short")
        return corrupted.clone()


class NaNOfOne(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted + 0 * corrupted.std(dim=-1, keepdim=True).log()


class Remembering(Same):
    before = 0.0

    def forward(self, corrupted: Tensor) -> Tensor:
        before, self.before = self.before, float(corrupted[0, 0, -1]) if corrupted.shape == (1, 1, 3000) else 0.0
        return corrupted + before


class AlwaysDroppingOut(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return functional.dropout(corrupted, 0.01 if corrupted.shape[-1] == 3000 else 0.0)


class OfTheWholeBatch(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted * (1 + 1e-3 * (len(corrupted) - 1))


class OfThePlace(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return torch.cat([1.001 * corrupted[:1], corrupted[1:]]) if len(corrupted) > 1 else corrupted.clone()


class Halves(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted.clone() if corrupted.shape[-1] > 600 else corrupted.double()


class InPlace(Same):
    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted if corrupted.shape[-1] > 600 else corrupted.mul_(0.5)


class ReachUnsaid(Restorer):
    level_free = True

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted.clone()


BREAKS: dict[type[nn.Module], dict[str, str]] = {
    Same: {},
    NotTheIdentity: {"starts_as_the_identity": "set the weights and biases of its last layer to zero"},
    ButTheIdentity: {"starts_as_the_identity": "remove identity_at_start = False"},
    Floored: {
        "follows_the_level": "use no biases, no floors",
        "starts_as_the_identity": "declare identity_at_start = False",
    },
    NotSayingLevelFree: {"follows_the_level": "declare level_free = True"},
    MonoOnly: {"takes_declared_channels": "does not take a signal of shape (2, 2, 100)"},
    StereoWithoutASentence: {"takes_declared_channels": "raise ValueError with a sentence that names channels=2"},
    StereoThatTakesAll: {"takes_declared_channels": "takes a signal of shape (2, 1, 100) though it declares channels=2"},
    EvenLengthsOnly: {"takes_every_length": "pad inside"},
    CroppedToEven: {"takes_every_length": "turns (2, 1, 1) into (2, 1, 0)"},
    NoneOfShort: {"takes_every_length": "the refusal 'too short' must name min_samples=16"},
    NaNOfOne: {"takes_every_length": "gives NaN or infinity for a signal of shape (2, 1, 1)"},
    Remembering: {"keeps_no_state": "keep no state between calls", "keeps_examples_apart": "", "follows_the_level": ""},
    AlwaysDroppingOut: {
        "starts_as_the_identity": "",
        "keeps_no_state": "switch dropout off",
        "keeps_examples_apart": "",
        "follows_the_level": "",
    },
    OfTheWholeBatch: {"keeps_examples_apart": "depends on the others of its batch"},
    OfThePlace: {"keeps_examples_apart": "the order of a batch matters"},
    Halves: {"gives_float32_and_leaves_its_input": "gives torch.float64 for float32"},
    InPlace: {"gives_float32_and_leaves_its_input": "work on a copy"},
    ReachUnsaid: {"declares_itself": "give it a property reach_samples"},
    nn.Identity: {"declares_itself": "derive it from models.restorer.Restorer", "follows_the_level": "declare level_free = True"},
}


@pytest.mark.filterwarnings("ignore:std\\(\\). degrees of freedom")
@pytest.mark.parametrize("kind", BREAKS, ids=lambda kind: kind.__name__)
def test_what_a_class_breaks_is_named_with_what_to_do(kind: type[nn.Module]) -> None:
    found = broken(Subject(kind().eval(), kind().eval()))
    assert set(found) == set(BREAKS[kind])
    assert [advice for name, advice in BREAKS[kind].items() if advice not in found[name]] == []


def test_a_file_that_a_user_adds_is_held_to_the_contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = shutil.copytree(FOLDER, tmp_path / "conf", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    method = "_target_: lightning_modules.base.RestorationModule\nsample_rate: ${data.sample_rate}\nnet:\n"
    (root / "model" / "mine.yaml").write_text(method + "  _target_: models.mine.NotTheIdentity\n", encoding="utf-8")
    module = ModuleType("models.mine")
    module.NotTheIdentity = type("NotTheIdentity", (NotTheIdentity,), {"__module__": "models.mine"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models.mine", module)
    assert set(names(root)) - set(NAMES) == {"mine"}
    assert set(broken(subject_of(shrunk(description("mine", root))))) == {"starts_as_the_identity"}
