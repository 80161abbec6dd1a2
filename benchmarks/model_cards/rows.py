"""What the card of a shipped model shows: the conditions it is tested in, on which recordings, beside which controls."""

from collections.abc import Mapping
from dataclasses import dataclass

MUSIC, SPEECH = ("music",), ("speech", "more/speech")
OTHER_NOISE, TRAINED_NOISE = "noise", "more/noise"
"""Folders of recorded noise: of other makers than the training's, and the test split of the training's."""


@dataclass(frozen=True)
class Check:
    """One table of a card.

    Attributes:
        title: of the table.
        folders: of the audio root, the recordings.
        corruption: of the test: the group, then its keys.
        conditions: as `evaluate.py` takes them; None tests the one that the corruption is, and its probes.
        metrics: the columns.
        noise: folder of the audio root with recorded noise.
        windows: of each recording.
        pattern: of the names of the recordings.
    """

    title: str
    folders: tuple[str, ...]
    corruption: tuple[str, ...]
    conditions: str | None
    metrics: tuple[str, ...] = ("si_sdr_db", "lsd")
    noise: str | None = None
    windows: int = 1
    pattern: str = "*"


@dataclass(frozen=True)
class Card:
    """A model, the rate it works at, the kind of its data, the methods beside it, and its tables by a short name."""

    sample_rate_hz: int
    kind: str
    controls: tuple[str, ...]
    checks: Mapping[str, Check]


COLORS = "{colors:[white,pink,brown],snr_db:[0,5,10,20,40]}"
LEVELS = "{snr_db:[0,5,10,20]}"
RATES = "{low_rate_hz:[8000,11025,16000,22050,24000,32000]}"
FILTERS = "{filters:[chebyshev1,bessel,windowed_sinc,none]}"
CURVES = "{interpolation:[cubic,linear],low_rate_hz:[8000,22050]}"
OF_BANDS = ("lsd", "lsd_hf60", "mel_hf", "snr_lf_db")
PROBES = ("noharm_db", "preecho_db", "si_sdr_quiet_db")
"""What is left of intact recordings, before a burst, and behind something louder."""


def denoised(folders: tuple[str, ...], what: str, other: tuple[str, ...], else_what: str, windows: int) -> dict[str, Check]:
    """Return the tables of a denoiser of one kind of sound, with some of the other kind through it.

    Args:
        folders: of its own kind.
        what: that is.
        other: folders of the other kind.
        else_what: that is.
        windows: of each recording of its own kind.
    """
    recorded = ("noise", "corruption.colors=[recorded]")
    return {
        "colors": Check(f"{what} in noise of three colors", folders, ("noise",), COLORS, windows=windows),
        "recorded": Check(
            f"{what} in recorded noise of other makers", folders, recorded, LEVELS, noise=OTHER_NOISE, windows=windows
        ),
        "recorded_alike": Check(
            f"{what} in recorded noise of the test split", folders, recorded, LEVELS, noise=TRAINED_NOISE, windows=windows
        ),
        "mp3": Check(f"{what} through MP3", folders, ("codec", "corruption.codecs=[mp3]"), "{mp3_kbps:[64,128,192]}"),
        "other": Check(f"{else_what} through this model", other, ("noise",), "{colors:[white,pink],snr_db:[0,10,20,40]}"),
        "harm": Check("What it does to what needs nothing", folders, ("noise", "corruption.snr_db=10"), None, PROBES),
    }


def extended(
    folders: tuple[str, ...], what: str, wide: str, other: tuple[str, ...], else_what: str, windows: int
) -> dict[str, Check]:
    """Return the tables of a model that fills a lost band of one kind of sound, with some of the other kind through it.

    Args:
        folders: of its own kind.
        what: that is.
        wide: pattern of the names of recordings whose band MP3 alone ends.
        other: folders of the other kind.
        else_what: that is.
        windows: of each recording of its own kind.
    """
    smooth, middle = "corruption.interpolation=[sinc]", "corruption.low_rate_hz=16000"
    lost = ("super_resolution", smooth)
    return {
        "rates": Check(f"{what} of lower sample rates", folders, lost, RATES, OF_BANDS, windows=windows),
        "filters": Check(f"{what} of 16 kHz by filter, and aliased", folders, (*lost, middle), FILTERS, OF_BANDS),
        "curves": Check(f"{what} interpolated with images", folders, ("super_resolution",), CURVES, OF_BANDS),
        "mp3": Check(f"{what} through MP3", folders, ("codec", "corruption.codecs=[mp3]"), "{mp3_kbps:[64,128]}", pattern=wide),
        "other": Check(f"{else_what} through this model", other, lost, "{low_rate_hz:[8000,16000,22050]}", OF_BANDS),
        "harm": Check("What it does to what needs nothing", folders, ("super_resolution", middle), None, PROBES),
    }


FILLERS = ("noise_fill", "sinc", "cubic_spline")
CARDS: Mapping[str, Card] = {
    "denoise_music": Card(44_100, "music", ("wiener",), denoised(MUSIC, "Music", SPEECH, "Speech", 2)),
    "denoise_speech": Card(48_000, "speech", ("wiener",), denoised(SPEECH, "Speech", MUSIC, "Music", 1)),
    "extend_music": Card(44_100, "music", FILLERS, extended(MUSIC, "Music", "[!v]*", SPEECH, "Speech", 2)),
    "extend_speech": Card(44_100, "speech", FILLERS, extended(SPEECH, "Speech", "ravdess*", MUSIC, "Music", 1)),
}
