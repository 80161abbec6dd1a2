"""Keys of the corruptions."""

from collections.abc import Mapping
from typing import Any

from conf.schema.constructors import keys_named
from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node
from conf.schema.kinds import Either, Flag, Kind, ListOf, Number, OneOf, Place, Span, Whole, constant, nullable
from conf.schema.texts import Text

PACKAGE = "datamodules.corruptions"
SHARE = Number(0, 1)
PERCENT = Number(0, 100)
RATE = Number(1, 200_000)
SPLIT = nullable(OneOf(("matching", "train", "val", "test")))
FILTERS = ListOf(OneOf(constant(f"{PACKAGE}.dsp.filters", "FAMILIES")))


class Mixture(OneOf):
    """Names joined by plus signs."""

    def fits(self, value: object) -> bool:
        """Say whether every part is one of the names."""
        return isinstance(value, str) and all(name.strip() in self.names() for name in value.split("+"))

    def allowed(self, unit: str = "") -> str:
        """Say what may be joined."""
        return f"{super().allowed(unit)}, or several of them joined by +"


class Effect(Kind):
    """The name of a function, or that with its arguments."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        if isinstance(value, str):
            return value.isidentifier()
        if not isinstance(value, dict) or len(value) != 1:
            return False
        return all(isinstance(name, str) and isinstance(given, dict | None) for name, given in value.items())

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "the name of a function of torchaudio.functional, or {NAME: {ARGUMENT: VALUE}}"


class ForeignNode(Node):
    """The description of an object of a package that plugins names; `_partial_` makes a function one."""

    def keys_of(self, target: str, value: Mapping[str, Any], place: Place) -> Keys:
        """See `Node`."""
        super().keys_of(target, value, place)
        return keys_named(target, value.get("_partial_") is True, place)

    def _known(self) -> str:
        return "package.Class with plugins=[package]"


COLOR = Mixture(constant(f"{PACKAGE}.noise", "COLORS"))
FILTER_KEYS = {
    "filters": Key(FILTERS, "Kinds of low-pass filters, of which each example draws one; none: no filter."),
    "order": Key(Span(Whole(1, 16)), "Order of the filter."),
    "ripple_db": Key(Span(Number(0, 20, above=True)), "Ripple in the passband of Chebyshev and elliptic filters.", "dB"),
    "stopband_db": Key(Span(Number(1, 200)), "Attenuation in the stopband of elliptic filters.", "dB"),
    "passes": Key(Whole(1, 2), "1 filters once, 2 forward and backward, which squares the response."),
}
CORRUPTIONS: dict[str, Keys] = {
    f"{PACKAGE}.noise.Noise": {
        "colors": Key(Either((COLOR, ListOf(COLOR))), "Kinds of noise, of which each example draws one."),
        "snr_db": Key(Span(Number(-100, 200)), "Signal-to-noise ratio.", "dB"),
        "noise_root": Key(nullable(Text("a folder")), "Folder of recorded noise, which the color `recorded` needs."),
        "noise_split": Key(SPLIT, "Which split of that folder is used; matching: the same as of the clean audio; null: all."),
    },
    f"{PACKAGE}.bandwidth.LowPass": {
        "cutoff_hz": Key(Span(RATE), "Cut-off of the filter.", "Hz"),
        **FILTER_KEYS,
    },
    f"{PACKAGE}.bandwidth.Bandwidth": {
        "low_rate_hz": Key(Span(RATE), "The low sample rate.", "Hz"),
        **FILTER_KEYS,
        "cutoff_ratio": Key(Span(Number(0, 1, above=True)), "Cut-off of the filter over half of the low rate."),
        "aliased": Key(SHARE, "Share of examples that are decimated without a filter."),
        "interpolation": Key(
            ListOf(OneOf(constant(f"{PACKAGE}.dsp.decimation", "INTERPOLATIONS"))),
            "Ways back up, of which each example draws one.",
        ),
    },
    f"{PACKAGE}.quantization.Quantize": {
        "modes": Key(
            ListOf(OneOf(("hold", "hold_causal", "uniform", "mu_law"))), "Kinds of rounding, of which each example draws one."
        ),
        "hold_factor": Key(Span(Whole(1, 1_000_000)), "How many samples one is held for.", "samples"),
        "bits": Key(Span(Whole(2, 24)), "Bits of a sample after uniform rounding.", "bits"),
        "mu_law_bits": Key(Span(Whole(2, 16)), "Bits of a sample after rounding by the mu law.", "bits"),
        "dithered": Key(SHARE, "Share of examples with dither."),
    },
    f"{PACKAGE}.reverb.Reverb": {
        "responses": Key(
            ListOf(OneOf(constant(f"{PACKAGE}.reverb", "ORIGINS"))), "Origins of rooms, of which each example draws one."
        ),
        "t60_s": Key(Span(Number(0, 20, above=True)), "Reverberation time of simulated rooms.", "s"),
        "drr_db": Key(Span(Number(-60, 60)), "Ratio of direct to reverberant energy of simulated rooms.", "dB"),
        "rir_root": Key(nullable(Text("a folder")), "Folder of recorded room responses, which `recorded` needs."),
        "rir_split": Key(SPLIT, "Which split of that folder is used; matching: the same as of the clean audio; null: all."),
    },
    f"{PACKAGE}.clipping.Clipping": {
        "depth_db": Key(Span(Number(0, 120)), "How far the threshold lies below the peak.", "dB"),
        "shapes": Key(ListOf(OneOf(constant(f"{PACKAGE}.clipping", "SHAPES"))), "Curves, of which each example draws one."),
    },
    f"{PACKAGE}.impulses.Impulses": {
        "deviation": Key(Span(Number(0, 10)), "Standard deviation of the Gaussian noise; full scale is 1."),
        "probability": Key(Span(SHARE), "Probability of a click at a sample."),
        "amplitude": Key(Span(Number(0, 10)), "Size of the clicks; full scale is 1."),
    },
    f"{PACKAGE}.codec.Codec": {
        "codecs": Key(ListOf(OneOf(("mp3", "vorbis", "opus"))), "Codecs, of which each example draws one."),
        "mp3_kbps": Key(Span(Number(8, 320)), "Bit rate of MP3, all channels together.", "kbit/s"),
        "vorbis_quality": Key(Span(SHARE), "Quality of Vorbis, a tenth of what oggenc calls -q."),
        "opus_kbps": Key(Span(Number(6, 256)), "Bit rate of Opus for one channel.", "kbit/s"),
    },
    f"{PACKAGE}.amplifier.Amplifier": {
        "mains_hz": Key(ListOf(Number(1, 1000)), "Frequencies of the mains, of which each example draws one.", "Hz"),
        "hiss": Key(Span(SHARE), "Share of the noise's power that is hiss; the rest is hum."),
        "snr_db": Key(Span(Number(-100, 200)), "Signal-to-noise ratio.", "dB"),
    },
    f"{PACKAGE}.compression.Compression": {
        "threshold_db": Key(Span(Number(0, 120)), "How far the threshold lies below the loudest moment.", "dB"),
        "ratio": Key(Span(Number(1, 1000)), "Decibels above the threshold for each that is left of them."),
    },
    f"{PACKAGE}.echo.Echo": {
        "delay_ms": Key(Span(Number(0, 10_000, above=True)), "Time from one repetition to the next.", "ms"),
        "decay": Key(Span(SHARE), "Level of a repetition over that of the one before it."),
        "repeats": Key(Span(Whole(1, 1000)), "How many repetitions there are."),
    },
    f"{PACKAGE}.feedback.Feedback": {
        "delay_ms": Key(Span(Number(0, 10_000, above=True)), "Time of a round trip.", "ms"),
        "loop_gain_db": Key(Span(Number(-120, -0.1)), "Gain of a round trip.", "dB"),
        "frequency_hz": Key(Span(RATE), "Near which the loop rings.", "Hz"),
    },
    f"{PACKAGE}.freeverb.Freeverb": {
        "reverberance": Key(Span(PERCENT), "Strength: 0.1 s to 10 s of reverberation.", "%"),
        "hf_damping": Key(PERCENT, "How much faster high frequencies decay.", "%"),
        "room_scale": Key(PERCENT, "How long the delays are.", "%"),
        "stereo_depth": Key(PERCENT, "How much the delays of two channels differ.", "%"),
        "pre_delay_ms": Key(Number(0, 500), "Before the reverberation begins.", "ms"),
        "wet_gain_db": Key(Number(-60, 20), "Gain of the reverberation.", "dB"),
        "wet_only": Key(Flag(), "Whether the direct sound is left out."),
    },
    f"{PACKAGE}.g712.G712": {},
    f"{PACKAGE}.torchaudio_effects.TorchaudioEffects": {
        "effects": needed(
            ListOf(Effect()), "Effects one after the other; an argument that is [low, high] is drawn by each example."
        ),
    },
    f"{PACKAGE}.callables.AnyCallable": {
        "transform": needed(ForeignNode("callable", {}, [f"{PACKAGE}."]), "What is called with a waveform and its sample rate."),
        "takes": Key(OneOf(("numpy", "tensor")), "What a waveform is: an array (C, T) of float32, or a tensor (1, C, T)."),
    },
    f"{PACKAGE}.pipeline.Identity": {},
    f"{PACKAGE}.pipeline.Pipeline": {
        "steps": needed(Either((Text(), ListOf(Text()))), "Steps from left to right, as docs/data.md tells."),
    },
}
CORRUPTION = Node("corruption", CORRUPTIONS, [f"{PACKAGE}."])
CORRUPTIONS |= {
    f"{PACKAGE}.chain.Chain": {
        "steps": needed(ListOf(CORRUPTION), "The corruptions."),
        "order": Key(OneOf(("fixed", "random")), "Whether they follow each other as listed, or in an order drawn per batch."),
    },
    f"{PACKAGE}.chain.RandomApply": {
        "corruption": needed(CORRUPTION, "What is applied to some examples."),
        "probability": Key(SHARE, "Share of examples it is applied to."),
    },
}
