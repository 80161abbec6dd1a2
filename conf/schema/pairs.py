"""Keys that contradict each other, or what the machine has."""

import os
from collections.abc import Mapping
from typing import Any

from conf.declared import declared
from conf.schema.sentences import SchemaError
from machine.launched import launched


def check_length(config: Mapping[str, Any]) -> None:
    """Refuse a training without an end, and validations counted in two ways.

    Raises:
        SchemaError: naming the keys.
    """
    trainer = _group(config, "trainer")
    if trainer.get("max_epochs") == -1 and trainer.get("max_time") is None and trainer.get("max_steps") is None:
        raise SchemaError(
            "trainer.max_epochs=-1 is without limit, and needs trainer.max_steps, or trainer.max_time as 00:01:00:00 for an hour"
        )
    if type(trainer.get("val_check_interval")) is int and trainer.get("check_val_every_n_epoch") != 1:
        raise SchemaError(
            f"trainer.check_val_every_n_epoch={trainer.get('check_val_every_n_epoch')} must be 1 beside "
            f"trainer.val_check_interval={trainer['val_check_interval']}, which counts batches over all epochs"
        )
    check_early_stopping(config)


def check_early_stopping(config: Mapping[str, Any]) -> None:
    """Refuse to look at the end of epochs that are not validated, where a value would count again.

    Raises:
        SchemaError: naming the keys.
    """
    every = _group(config, "trainer").get("check_val_every_n_epoch")
    for name, callback in _group(config, "callbacks").items():
        if isinstance(callback, Mapping) and callback.get("check_on_train_epoch_end") is True and every not in (1, None):
            raise SchemaError(
                f"callbacks.{name}.check_on_train_epoch_end=true must be null beside trainer.check_val_every_n_epoch={every}: "
                "epochs without a validation have no value to look at"
            )


def check_untrained(config: Mapping[str, Any]) -> None:
    """Refuse to evaluate a method that needs training without a checkpoint of it.

    Raises:
        SchemaError: naming the keys.
    """
    if declared(str(_group(config, "model").get("_target_")), "needs_training"):
        name = _group(config, "choices").get("model")
        raise SchemaError(f"model={name} needs training; evaluate its run with checkpoint=PATH")


def check_base(config: Mapping[str, Any]) -> None:
    """Refuse a base of a model other than what the run starts from.

    Raises:
        SchemaError: naming the key that says so.
    """
    base = _group(config, "model").get("base")
    if base is not None and base != config["init_from"]:
        raise SchemaError(f"model.base={base} follows init_from; set init_from={base}")


def check_processors(trainer: Mapping[str, Any]) -> None:
    """Refuse more processors than there are.

    Raises:
        SchemaError: naming the key and how many there are.
    """
    import torch

    wanted, accelerator = trainer.get("devices", 1), trainer["accelerator"]
    usable = {"gpu": torch.cuda.is_available() or torch.backends.mps.is_available(), "cuda": torch.cuda.is_available()}
    usable["mps"] = torch.backends.mps.is_available()
    if not usable.get(accelerator, True):
        raise SchemaError(f"trainer.accelerator={accelerator} must be cpu or auto on this machine: torch finds no usable GPU")
    on_gpu = accelerator != "cpu" and usable["gpu"]
    there = max(torch.cuda.device_count(), 1) if on_gpu else os.cpu_count() or 1
    if isinstance(wanted, int) and wanted > there and (on_gpu or launched() is None):
        kind = "GPUs" if on_gpu else "cores"
        raise SchemaError(f"trainer.devices={wanted} must be at most {there}, the number of {kind} of this machine")


def _group(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}
