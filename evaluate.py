"""Score any checkpoint, or a method without training, on any data and corruption, next to the classical methods."""

import sys
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig

if TYPE_CHECKING:
    from sweeps.objectives import Objective


@hydra.main(config_path="conf", config_name="evaluate", execution_whitelist=["sweeps.*", "hydra_plugins.*", "logging.*"])
def run(cfg: DictConfig) -> "Objective":
    """Evaluate as the command line says; exit 1 if something is wrong, 128 + n after signal n. In sweeps, other processes do."""
    from sweeps.isolation import in_sweep, run_job

    if in_sweep():
        return run_job(cfg, "evaluate.py")
    from conf.compose import exit_code_of, quiet_lightning

    def job() -> int:
        from conf.settings import evaluate_settings
        from lightning_modules.commands.evaluate import evaluate
        from lightning_modules.runs.end import exit_code

        return exit_code(evaluate(evaluate_settings(cfg)))

    quiet_lightning()
    sys.exit(exit_code_of(job))


def main() -> None:
    """Evaluate once, or several times with -m."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.runs.shipped import with_shipped_models
    from machine.console import steady_streams
    from sweeps.entry import enter

    steady_streams()
    sys.argv[1:] = with_shipped_models(sys.argv[1:])
    sys.exit(enter(run))


if __name__ == "__main__":
    main()
