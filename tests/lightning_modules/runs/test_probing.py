"""Which probes the methods of a test are asked."""

from collections.abc import Callable

import pytest

from conf.settings import EvaluateSettings
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.metrics.registry import computed_in

Config = Callable[..., EvaluateSettings]
TRIED = ("model=cubic_spline", "baselines=[sinc]", "examples=0", "test_perceptual_pairs=0")


@pytest.mark.parametrize(
    ("given", "asked"),
    [("null", computed_in("probe")), ("[]", ()), ("[noharm_db]", ("noharm_db",)), ("[preecho_db,c2st]", ("preecho_db", "c2st"))],
)
def test_methods_are_asked_the_probes_that_are_chosen(evaluate_config: Config, given: str, asked: tuple[str, ...]) -> None:
    rows = evaluate(evaluate_config(*TRIED, f"test_probes={given}"))["methods"]
    assert {"corrupted", "method", "sinc"} <= rows.keys()
    assert all({*row} & {*computed_in("probe")} == {*asked} for row in rows.values())
