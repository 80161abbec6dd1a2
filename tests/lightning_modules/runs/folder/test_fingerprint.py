"""The fingerprint of a run sees what is computed, and nothing else."""

import hashlib
import json
from typing import Any

import pytest

from lightning_modules.runs.folder import fingerprint
from tests.lightning_modules.runs.folder.conftest import CONFIG

STOPPING = {"_target_": "pytorch_lightning.callbacks.EarlyStopping", "monitor": "val/lsd", "mode": "min", "patience": 5}


@pytest.mark.parametrize(("callbacks", "patience"), [({}, None), ({"early_stopping": STOPPING}, 5)])
def test_fingerprint_of_a_run_from_before_callbacks_were_a_group_is_found_again(callbacks: dict, patience: int | None) -> None:
    seen = {"monitor": "val/lsd", "mode": "min", "model": {"depth": 4}}
    content = json.dumps(seen | {"early_stopping_patience": patience}, sort_keys=True)  # what was hashed then
    now = seen | {"callbacks": callbacks | {"device_stats": {}, "profiler": {}}, "plugins": ["mypackage"]}
    assert fingerprint(now) == hashlib.sha256(content.encode()).hexdigest()


def test_fingerprint_sees_a_callback_that_may_change_what_is_computed() -> None:
    def with_callbacks(**callbacks: Any) -> str:
        return fingerprint({"monitor": "val/lsd", "mode": "min", "callbacks": callbacks})

    changed = [{"min_delta": 0.1}, {"monitor": "val/snr_db"}, {"patience": 6}, {"_target_": "mypackage.Stopping"}]
    hashes = {with_callbacks(early_stopping=STOPPING | change) for change in changed}
    assert len({*hashes, with_callbacks(), with_callbacks(early_stopping=STOPPING), with_callbacks(own={})}) == 7


def test_fingerprint_sees_what_is_computed_and_not_where() -> None:
    assert fingerprint(CONFIG) == fingerprint(CONFIG | {"run_name": "b", "run_dir": "y", "resume": "auto"})
    assert fingerprint(CONFIG) != fingerprint(CONFIG | {"model": {"depth": 5}})


@pytest.mark.parametrize(
    ("key", "value"),
    [("enable_progress_bar", False), ("num_workers", 4), ("cache_dir", "d"), ("examples", 0), ("baselines", [])],
)
def test_fingerprint_leaves_out_what_changes_no_result(key: str, value: object) -> None:
    node = next((name for name in ("trainer", "data") if key in CONFIG[name]), None)
    change = {key: value} if node is None else {node: CONFIG[node] | {key: value}}
    assert fingerprint(CONFIG | change) == fingerprint(CONFIG)


@pytest.mark.parametrize("change", [{"trainer": {"max_epochs": 21}}, {"data": {"batch_size": 8}}, {"trainer": None}])
def test_fingerprint_sees_the_rest_of_the_same_nodes(change: dict[str, Any]) -> None:
    assert fingerprint(CONFIG | change) != fingerprint(CONFIG)
