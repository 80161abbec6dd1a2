"""What a run is about to do, in a line, known before PyTorch is loaded."""

from omegaconf import DictConfig


def summary(cfg: DictConfig) -> str:
    """Say what is trained on what against what, and with which seed.

    Args:
        cfg: composed from conf/train.yaml.

    >>> from omegaconf import OmegaConf
    >>> summary(OmegaConf.create({"seed": 1, "choices": {"model": "unet", "data": "maestro", "corruption": "noise"}}))
    'training unet on maestro against noise, seed 1'
    """
    choices = cfg.choices
    return f"training {choices.model} on {choices.data} against {choices.corruption}, seed {cfg.seed}"
