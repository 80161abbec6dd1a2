"""Train one method on one data set against one corruption: `python train.py model=unet data=maestro`."""

import sys
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

if TYPE_CHECKING:
    from sweeps.objectives import Objective


@hydra.main(config_path="conf", config_name="train", execution_whitelist=["sweeps.*", "hydra_plugins.*", "logging.*"])
def run(cfg: DictConfig) -> "Objective":
    """Train as the command line says; exit 1 if something is wrong, 128 + n after signal n. Sweeps train in other processes."""
    from sweeps.isolation import in_sweep, run_job

    if in_sweep():
        return run_job(cfg)
    from conf.compose import exit_code_of, quiet_lightning
    from machine.memory import keep_freed_memory

    def job() -> int:
        quiet_lightning()
        keep_freed_memory()
        from conf.settings import train_settings
        from lightning_modules.commands.disk import tell_need
        from lightning_modules.commands.train import train
        from lightning_modules.runs.end import exit_code

        settings = train_settings(cfg)
        return tell_need(settings) if settings.config["dry_run"] else exit_code(train(settings))

    sys.exit(exit_code_of(job))


def main() -> None:
    """Train, or sweep."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from machine.console import steady_streams
    from sweeps.entry import enter

    steady_streams()
    sys.exit(enter(run))


if __name__ == "__main__":
    main()
