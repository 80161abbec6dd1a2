"""What happens once per run: its values are checked before Hydra makes its folder, and a run that is refused leaves none."""

import contextlib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from conf.compose import exit_code_of
from machine.launched import is_first_process


class RunCallback(Callback):
    """Check a run before it has a folder, and take the folder away if nothing was written into it.

    Args:
        script: train or evaluate.
    """

    def __init__(self, script: str) -> None:
        self.script = script
        self.made: list[Path] = []

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check the values.

        Raises:
            SystemExit: 1, after a sentence about the first that is wrong.
        """
        code = exit_code_of(lambda: self._check(config))
        if code:
            raise SystemExit(code)

    def _check(self, config: DictConfig) -> int:
        with hydra_values(config) as folder:
            check_task(self.script, config, folder)
        self.made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        return 0

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Remove the folders that this run made and left empty."""
        with contextlib.suppress(OSError):
            for place in self.made:
                place.rmdir()


@contextlib.contextmanager
def hydra_values(config: DictConfig) -> Iterator[Path]:
    """Let a configuration refer to Hydra's values meanwhile, as it does while a job runs.

    Args:
        config: with its part for Hydra.

    Yields:
        The folder that the job will get.
    """
    before = HydraConfig.instance().cfg
    HydraConfig.instance().set_config(config)
    try:
        yield Path(str(OmegaConf.select(config, "hydra.run.dir"))).absolute()
    finally:
        HydraConfig.instance().cfg = before


def check_task(script: str, config: DictConfig, folder: Path) -> None:
    """Check what a script is configured to do, and say what it will do before PyTorch is loaded.

    Args:
        script: train or evaluate.
        config: with its part for Hydra.
        folder: that the job will get.

    Raises:
        ValueError: about the first value that is wrong.
    """
    from conf.settings import evaluate_settings, train_settings
    from conf.summary import summary

    job = deepcopy(config)
    with read_write(job.hydra), open_dict(job.hydra):
        job.hydra.runtime.output_dir = str(folder)
    HydraConfig.instance().set_config(job)
    task = OmegaConf.masked_copy(job, [str(key) for key in job if key != "hydra"])
    if script == "train":
        if is_first_process():
            print(f"{summary(task)}; loading PyTorch ...", flush=True)  # some checks need what takes seconds to import
        train_settings(task)
    else:
        evaluate_settings(task)
