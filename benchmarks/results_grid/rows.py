"""What the grid of docs/results.md consists of: experiments, the conditions they are tested in, methods, controls, budgets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

NOISE_CONTROLS = ("wiener", "wiener_oracle", "psm_oracle")
GRID_CONTROLS = ("wiener", "sinc", "cubic_spline", "spline_white", "noise_fill")
BAND_CONTROLS = (*GRID_CONTROLS, "brick_wall_oracle", "envelope_oracle", "magnitude_oracle")
LITERATURE: Mapping[str, int] = {
    "tfilm": 590,
    "segan": 640,
    "segan_plus": 1800,
    "wavenet_denoiser": 315,
    "fcn_raw": 1700,
    "ddae": 4000,
    "drdae": 2700,
    "rnn_dft": 1750,
    "deep_feature": 500,
}
"""Small methods of the literature with their steps, from the core-seconds of a step beside those of `unet_small`."""
SHELF = ("spectral_subtraction", "berouti_subtraction", "mmse_stsa", "mmse_lsa", "block_thresholding", "nmf")
TRACKERS = ("line_enhancer_nlms", "butterworth")
FILTERS = "{filters:[chebyshev1,bessel,windowed_sinc,none]}"
OF_METHOD: Mapping[str, tuple[str, ...]] = {
    "unet_small": (),
    "conv_rnn": ("data.window_samples=64512", "data.batch_size=2", "ema_decay=0.99"),
    "mask_net": ("data.window_samples=64512", "data.batch_size=1", "ema_decay=0.99"),
    "band_net": (
        "data.window_samples=8192",
        "data.batch_size=16",
        "monitor=val/lsd",
        "mode=min",
        "model.loss_weights.log_mse=0.1",
        "model.loss_weights.mr_stft=1.0",
    ),
    **dict.fromkeys(LITERATURE, ()),
}
"""What each learned method is trained with, beside the experiment."""


@dataclass(frozen=True)
class Experiment:
    """A task of the grid.

    Attributes:
        title: of its table.
        axis: what its conditions differ in.
        folders: of the audio root, the recordings.
        pattern: of their names.
        corruption: of the test: the group, then its keys; `{root}` is the audio root.
        conditions: as `evaluate.py` takes them.
        controls: methods without training, oracles among them.
        metrics: the columns in each condition.
        steps: of the optimizer by method: about 300 core-seconds, validation included, where nothing else runs.
        recorded: keys of the corruption that name folders of the audio root, in training and in the test.
        test: further keys of the evaluation.
    """

    title: str
    axis: str
    folders: tuple[str, ...]
    corruption: tuple[str, ...]
    conditions: str
    controls: tuple[str, ...]
    metrics: tuple[str, ...]
    steps: Mapping[str, int]
    pattern: str = "*"
    recorded: Mapping[str, str] = field(default_factory=dict)
    test: tuple[str, ...] = ()

    def data_keys(self, root: Path) -> list[str]:
        """Return what names recordings, noises and rooms, in training and in the test."""
        places = ",".join(str(root / folder) for folder in self.folders)
        return [
            f"data.root=[{places}]",
            f"data.pattern='{self.pattern}'",
            *(f"corruption.{key}={root / folder}" for key, folder in self.recorded.items()),
        ]


SPEECH = ("test_perceptual_kind=speech",)
HEARD = ("si_sdr_db", "pesq_wb", "stoi")
BAND = ("snr_db", "lsd", "lsd_hf60")
SUPER_RESOLVE_SPEECH = Experiment(
    "Super-resolution of speech, 4 to 16 kHz",
    "filter",
    ("speech",),
    ("super_resolution", "corruption.low_rate_hz=4000"),
    FILTERS,
    BAND_CONTROLS,
    BAND,
    {"unet_small": 510, "band_net": 1400},
    test=SPEECH,
)
EXPERIMENTS: Mapping[str, Experiment] = {
    "denoise_music_16khz": Experiment(
        "Denoising music",
        "noise",
        ("music",),
        ("noise",),
        "{colors:[white,pink],snr_db:[0,5,10]}",
        NOISE_CONTROLS,
        ("si_sdr_db", "lsd"),
        {"unet_small": 640, "conv_rnn": 1270, "mask_net": 1120},
    ),
    "denoise_speech_16khz": Experiment(
        "Denoising speech",
        "recorded noise",
        ("speech",),
        ("noise", "corruption.colors=[recorded]"),
        "{snr_db:[0,5,10]}",
        NOISE_CONTROLS,
        HEARD,
        {"unet_small": 590, "conv_rnn": 1230, "mask_net": 1080},
        recorded={"noise_root": "noise"},
        test=SPEECH,
    ),
    "dereverb_speech": Experiment(
        "Dereverberation of speech",
        "rooms",
        ("speech",),
        ("dereverb",),
        "{responses:[recorded,simulated]}",
        ("wiener", "wpe"),
        HEARD,
        {"unet_small": 610, "conv_rnn": 1230, "mask_net": 1080},
        recorded={"rir_root": "rir"},
        test=SPEECH,
    ),
    "dequantize_music_8bit": Experiment(
        "Inverse quantization of music: bits",
        "bits",
        ("music",),
        ("dequantize", "corruption.modes=[uniform]"),
        "{bits:[6,8,10]}",
        GRID_CONTROLS,
        ("snr_db", "si_sdr_db", "lsd"),
        {"unet_small": 640, "conv_rnn": 1270},
    ),
    "dequantize_music_hold4": Experiment(
        "Inverse quantization of music: held samples",
        "one sample held in",
        ("music",),
        ("dequantize", "corruption.modes=[hold]"),
        "{hold_factor:[2,4,8]}",
        GRID_CONTROLS,
        ("snr_db", "si_sdr_db", "lsd"),
        {"unet_small": 640, "conv_rnn": 1270},
    ),
    "remove_overdrive": Experiment(
        "Removal of overdrive from guitar and piano",
        "gain (dB)",
        ("music",),
        ("torchaudio",),
        "{effects:[{overdrive:{gain:5}},{overdrive:{gain:17.5}},{overdrive:{gain:30}}]}",
        ("overdrive_inverse", "overdrive_inverse_oracle", "overdrive_static", "overdrive_static_oracle"),
        ("si_sdr_db", "lsd"),
        {"unet_small": 640, "mask_net": 1120},
        pattern="*[gp][iu][ai][nt]*",
    ),
    "super_resolve_speech": SUPER_RESOLVE_SPEECH,
    "literature_denoise": Experiment(
        "The literature: denoising speech",
        "noise",
        ("speech",),
        ("noise",),
        "{colors:[white,pink],snr_db:[0,5,10]}",
        (*NOISE_CONTROLS, *SHELF, *TRACKERS),
        HEARD,
        LITERATURE,
        test=SPEECH,
    ),
    "literature_super_resolve": replace(
        SUPER_RESOLVE_SPEECH, title="The literature: super-resolution of speech, 4 to 16 kHz", steps=LITERATURE
    ),
    "super_resolve_music": Experiment(
        "Super-resolution of music, 4 to 16 kHz, nothing rendered",
        "filter",
        ("music",),
        ("super_resolution", "corruption.low_rate_hz=4000"),
        FILTERS,
        BAND_CONTROLS,
        BAND,
        {"unet_small": 560, "band_net": 1400},
        pattern="[!p]*",  # what begins with piano_ is rendered
    ),
    "super_resolve_piano": Experiment(
        "Super-resolution of rendered piano, 4 to 16 kHz",
        "filter",
        ("music", "more/music"),
        ("super_resolution", "corruption.low_rate_hz=4000"),
        FILTERS,
        BAND_CONTROLS,
        BAND,
        {"unet_small": 1000, "band_net": 1400},
        pattern="piano_*",
        test=("data.eval_windows=8",),
    ),
}
"""By the name that `train.py experiment=` knows them by."""
