"""Keys of the methods without training."""

from conf.schema.declaration import Key, Keys, needed
from conf.schema.kinds import Number, Whole, nullable
from datamodules.limits import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

RATE = needed(Whole(LOWEST_RATE_HZ, HIGHEST_RATE_HZ), "Sample rate; follows data.sample_rate.", "Hz")
LOW_RATE = Key(
    nullable(Number(0, HIGHEST_RATE_HZ, above=True)), "Rate that the signal had before; null: estimated from each example.", "Hz"
)
GRID: Keys = {"sample_rate": RATE, "low_rate_hz": LOW_RATE}
WIENER: Keys = {
    "sample_rate": RATE,
    "alpha": Key(Number(0, 1, below=True), "Weight of the frame before in the signal-to-noise ratio."),
    "prior_snr_floor_db": Key(Number(-200, 100), "Lowest signal-to-noise ratio, which limits the attenuation.", "dB"),
}
CLASSICAL: dict[str, Keys] = {
    "models.classical.interpolation.Sinc": GRID,
    "models.classical.interpolation.CubicSpline": GRID,
    "models.classical.noise_fill.NoiseFill": {
        **GRID,
        "level_db": Key(Number(-200, 100), "Level of the added noise over the extrapolated envelope.", "dB"),
    },
    "models.classical.wiener.Wiener": WIENER,
    "models.classical.wiener.WienerOracle": WIENER,
}
