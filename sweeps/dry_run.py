"""What a sweep would need of the disk, told in place of running it."""

from collections.abc import Sequence

from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from conf.settings import TrainSettings, train_settings
from sweeps.single_run import hydra_values


def job_overrides(config: DictConfig) -> list[list[str]]:
    """Return the overrides of every job; of a study, whose values nobody knows yet, the given ones as often as it has trials.

    Args:
        config: of the sweep, with its part for Hydra.
    """
    sweeper, task = config.hydra.sweeper, list(config.hydra.overrides.task)
    parser = OverridesParser.create()
    if "n_trials" in sweeper:
        plain = [override for override in task if not parser.parse_override(override).is_sweep_override()]
        return [plain] * int(sweeper.n_trials)
    params = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    jobs: list[list[str]] = BasicSweeper.split_arguments(parser.parse_overrides([*params, *task]), None)[0]
    return jobs


def job_settings(config_name: str, overrides: Sequence[str]) -> TrainSettings:
    """Return what a job of a sweep does.

    Raises:
        ValueError: about the first of its values that is wrong.
    """
    job = compose(config_name, [*overrides, "hydra.mode=RUN"], return_hydra_config=True)
    with hydra_values(job) as folder:
        with read_write(job.hydra), open_dict(job.hydra):
            job.hydra.runtime.output_dir = str(folder)
        HydraConfig.instance().set_config(job)
        return train_settings(OmegaConf.masked_copy(job, [str(key) for key in job if key != "hydra"]))


def tell_needs(config: DictConfig) -> int:
    """Print what the jobs of a sweep need, and return the exit code."""
    from datamodules.audio.probing import absolute
    from lightning_modules.commands import disk  # needs torch

    estimator, jobs = disk.Estimator(), [job_settings(config.hydra.job.config_name, job) for job in job_overrides(config)]
    needs = [estimator.need(settings) for settings in jobs]
    first = jobs[0].config
    return disk.tell_needs(needs, absolute(first["data"]["cache_dir"]), absolute(first["run_dir"]).parent)
