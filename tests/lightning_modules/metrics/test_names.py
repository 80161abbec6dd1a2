"""Whoever reads results without tensors knows every metric there is."""

from lightning_modules.metrics.collection import offered_metrics
from lightning_modules.metrics.names import HIGHER_IS_BETTER


def test_every_computed_metric_has_a_direction() -> None:
    assert set(offered_metrics(16000)) <= set(HIGHER_IS_BETTER)
