"""What a sweep settles with Ray before its first job."""

import os
import socket
import sys
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

ANSWERS_SECONDS = 10


def prepare_ray(config: DictConfig) -> None:
    """Have Ray tell each line once, begin tasks of lost workers anew, and answer where a cluster is named.

    How often a task may begin anew is not Ray's to decide: it counts workers, and a long job on machines that are taken away
    may lose many. `attempts.MOST_LOST` looks at what the job has got.

    Args:
        config: of the sweep; `hydra.launcher` is Ray's.

    Raises:
        SystemExit: with a sentence, if there is no cluster at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")
    if not sys.stdout.isatty():
        os.environ.setdefault("RAY_COLOR_PREFIX", "0")
    ray = config.hydra.launcher.ray
    if "max_retries" not in ray.remote:
        with read_write(config.hydra), open_dict(config.hydra):
            ray.remote.max_retries = -1
            config.hydra.overrides.hydra.append("+hydra.launcher.ray.remote.max_retries=-1")  # Hydra compares the jobs' launcher
    settings = OmegaConf.to_container(ray.init, resolve=True)
    if isinstance(settings, dict) and settings.get("address"):
        try:
            _connect({str(key): value for key, value in settings.items()})
        except (OSError, ValueError) as error:
            raise SystemExit(f"error: hydra.launcher.ray.init.address={settings['address']}: {error}") from error


def _connect(settings: dict[str, Any]) -> None:
    """Connect to a cluster; the launcher finds that done, and would tell a failure without its key.

    Raises:
        OSError: if nobody listens at the address, for which Ray would wait for minutes.
        ValueError: if Ray does not get in.
    """
    host, _, port = str(settings["address"]).removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=ANSWERS_SECONDS).close()
        except OSError as error:
            raise OSError(f"nobody listens there ({error.strerror or error}); start a cluster with `ray start --head`") from error
    import ray

    try:
        ray.init(**settings)
    except (ConnectionError, RuntimeError, ray.exceptions.RayError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{said}; RAY_AUTH_MODE must be the same here as where the cluster was started") from error
