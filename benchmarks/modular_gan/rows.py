"""What the tables of the modular GAN consist of: tasks, learned rows with their budgets, controls, and the bars to clear."""

from collections.abc import Mapping
from dataclasses import dataclass

GAN = "unet_gan_small"
OTHERS = ("wiener", "sinc", "cubic_spline", "spline_white", "noise_fill")


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        title: of its tables.
        corruption: the text of its steps.
        controls: methods without training, oracles among them.
        metrics: the columns.
    """

    title: str
    corruption: str
    controls: tuple[str, ...]
    metrics: tuple[str, ...]


TASKS: Mapping[str, Task] = {
    "piano_5_to_10khz": Task(
        "Super-resolution, 5 to 10 kHz",
        "sample 5000 10000",
        (*OTHERS, "brick_wall_oracle", "envelope_oracle", "magnitude_oracle"),
        ("snr_db", "snr_lf_db", "lsd", "lsd_hf60", "lsd_bilat"),
    ),
    "piano_denoise_10khz": Task(
        "Denoising",
        "whitenoise 0.005 0.02,scale 10000",
        (*OTHERS, "wiener_oracle", "psm_oracle"),
        ("snr_db", "si_sdr_db", "lsd", "lsd_bilat"),
    ),
    "piano_dereverb_10khz": Task(
        "Dereverberation",
        "reverb 10000 0 80 100 100 100 40 0 0",
        ("wpe", *OTHERS),
        ("snr_db", "si_sdr_db", "lsd", "lsd_bilat"),
    ),
}
"""By the name that `train.py experiment=` knows them by."""
PUBLISHED = {
    "piano_5_to_10khz": "SNR 27.42 to 1.65 dB, LSD 2.32 to 1.39; later, LSD of 10 s: 2.22 to 1.61 (G), 1.55 (G+D), 1.56 (G+A)",
    "piano_denoise_10khz": "SNR 6.02 to 3.55 dB, LSD 1.05 to 1.22; its preprocessing is not published",
    "piano_dereverb_10khz": "SNR 7.26 to 3.08 dB, LSD 0.41 to 0.90; its preprocessing is not published",
}
"""Of Billotais/Denoising-with-Generative-Models, by task, on one file of another data set."""


@dataclass(frozen=True)
class Learned:
    """A learned row.

    Attributes:
        steps: of the generator: about 480 core-seconds, validation included.
        keys: it is trained with.
        from_experiment: whether beside the experiment; else beside the data and the corruption of its task alone.
    """

    steps: int
    keys: tuple[str, ...] = ()
    from_experiment: bool = True


def _without(*losses: str) -> tuple[str, ...]:
    return tuple(f"model.loss_weights.{loss}=0" for loss in losses)


_DEPTHS = {
    4: "model.net.channels=[16,32,64,128] model.net.kernels=[17,9,9,7]",
    8: "model.net.channels=[16,32,64,128,128,128,128,128] model.net.kernels=[17,9,9,7,5,3,3,3]",
}
_WAVEFORM = "{log_mse: 1.0, mr_stft: 0.1}"
_WINDOW = "data.window_samples=8192"
_FRAMES = ("data.window_samples=64512", "data.batch_size=1", "ema_decay=0.99")
LEARNED: Mapping[str, Learned] = {
    "G": Learned(1370, _without("feature", "adversarial")),
    "G+D": Learned(690, _without("feature")),
    "G+A": Learned(940, _without("adversarial")),
    "G+D+A": Learned(600),
    "unet_small": Learned(
        1600,
        ("model=unet_small", _WINDOW, f"model.loss_weights={_WAVEFORM}", "scheduler@model.scheduler=cosine"),
        from_experiment=False,
    ),
    "band_net": Learned(2000, ("model=band_net", _WINDOW, "scheduler@model.scheduler=cosine"), from_experiment=False),
    "mask_net": Learned(2240, ("model=mask_net", *_FRAMES), from_experiment=False),
    "G, rate kept": Learned(1370, (*_without("feature", "adversarial"), "scheduler@model.schedulers.generator=null")),
    "G, plateau": Learned(
        1370,
        (
            *_without("feature", "adversarial"),
            "scheduler@model.schedulers.generator=plateau",
            "model.schedulers.generator.patience=10",
            "+model.schedulers.generator.threshold=1e-2",
            "trainer.val_check_interval=50",
            "trainer.limit_val_batches=8",
        ),
    ),
    **{f"momentum {value}": Learned(600, (f"model.generator_optimizer.betas=[{value},0.999]",)) for value in (0.5, 0.8)},
    **{f"decay {value}": Learned(600, (f"model.generator_optimizer.weight_decay={value}",)) for value in (0.0, 0.1)},
    **{f"dropout {value}": Learned(600, (f"model.net.dropout={value}",)) for value in (0.2, 0.5)},
    **{
        f"depth {depth}": Learned(600, (f"model.net.depth={depth}", *keys.split(" "), *_without("adversarial")))
        for depth, keys in _DEPTHS.items()
    },
}
"""By the label of the row. Numbers of steps are to each other as the steps of these recipes take time."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        task: whose pairs its rows are tested on.
        learned: labels of its learned rows.
        title: added to that of the task.
        seeds: how many.
        excerpts: lengths in seconds, each a column; empty for the metrics of the task.
    """

    task: str
    learned: tuple[str, ...]
    title: str = ""
    seeds: int = 1
    excerpts: tuple[int, ...] = ()


_FOUR = ("G", "G+D", "G+A", "G+D+A")
TABLES: Mapping[str, Table] = {
    "super_resolution": Table("piano_5_to_10khz", (*_FOUR, "unet_small", "band_net"), seeds=3),
    "denoising": Table("piano_denoise_10khz", ("G", "G+D+A", "unet_small", "mask_net")),
    "dereverberation": Table("piano_dereverb_10khz", ("G", "G+D+A", "unet_small", "mask_net")),
    "scheduler": Table("piano_5_to_10khz", ("G", "G, rate kept", "G, plateau"), "scheduler (published: 1.6079 off, 1.6779 on)"),
    "excerpts": Table("piano_5_to_10khz", _FOUR, "LSD as published, by the length of the excerpt", excerpts=(15, 10, 5, 1)),
    "sweep": Table(
        "piano_5_to_10khz",
        ("G+D+A", *(label for label in LEARNED if label.startswith(("momentum", "decay", "dropout")))),
        "momentum, decay, dropout",
    ),
    "depth": Table("piano_5_to_10khz", ("G+A", "depth 4", "depth 8"), "depth (of G+A: 6)"),
}
