"""Keys of the methods without training."""

from conf.schema.declaration import Key, Keys, needed
from conf.schema.kinds import Number, Whole, nullable
from datamodules.limits import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

RATE = needed(Whole(LOWEST_RATE_HZ, HIGHEST_RATE_HZ), "Sample rate; follows data.sample_rate.", "Hz")
LOW_RATE = Key(
    nullable(Number(0, HIGHEST_RATE_HZ, above=True)), "Rate that the signal had before; null: estimated from each example.", "Hz"
)
GRID: Keys = {"sample_rate": RATE, "low_rate_hz": LOW_RATE}
HOLD: Keys = {
    "sample_rate": RATE,
    "hold_factor": Key(nullable(Whole(1, 1_000_000)), "Samples that show one value; null: guessed for each example.", "samples"),
    "place": Key(Number(0, 1), "Place of the shown sample in its block: 0 its beginning, 0.5 its middle."),
}
DECISION_DIRECTED: Keys = {
    "sample_rate": RATE,
    "alpha": Key(Number(0, 1, below=True), "Weight of the frame before in the signal-to-noise ratio."),
    "prior_snr_floor_db": Key(Number(-200, 100), "Lowest signal-to-noise ratio, which limits the attenuation.", "dB"),
}
SUBTRACTION: Keys = {
    "sample_rate": RATE,
    "over_subtraction": Key(Number(0, 1000), "How much of the noise is subtracted: a multiple of it."),
    "beta": Key(Number(0, 10, above=True), "Power of the ratio of noise to signal; 1: of powers, 0.5: of magnitudes."),
    "exponent": Key(Number(0, 10, above=True), "Power of what is left."),
    "floor": Key(Number(0, 1), "Lowest gain."),
}
LINE_ENHANCER: Keys = {
    "sample_rate": RATE,
    "length_seconds": Key(Number(0, 1, above=True), "Length of the filter.", "s"),
    "delay": Key(Whole(1, 1_000_000), "How far ahead the filter predicts; above the correlation time of the noise.", "samples"),
}
STEP: Keys = {"step": Key(Number(0, 2, above=True, below=True), "Step of the weights; 2 and more diverges.")}
SMOOTHING: Keys = {
    "order": Key(Whole(1, 20), "Order of the filter, which runs forward and backward."),
    "cutoff": Key(Number(0.001, 0.999), "End of the pass band, as a share of half the sample rate."),
}
RIPPLE: Keys = {"ripple_db": Key(Number(0, 20, above=True), "Ripple of the pass band, each time.", "dB")}
OVERDRIVE: Keys = {
    "colour": Key(Number(0, 100), "Colour of the overdrive that is undone."),
    "rounds": Key(Whole(0, 1000), "How often what the filter took away is estimated; 0: the static curve alone.", "rounds"),
}
TOTAL_VARIATION: Keys = {
    "sample_rate": RATE,
    "smoothness": Key(Number(0, 1e6, above=True), "Weight of the variation, in deviations of the noise."),
}
CLASSICAL: dict[str, Keys] = {
    "models.classical.interpolation.Sinc": GRID,
    "models.classical.interpolation.CubicSpline": GRID,
    "models.classical.noise_fill.NoiseFill": {
        **GRID,
        "level_db": Key(Number(-200, 100), "Level of the added noise over the extrapolated envelope.", "dB"),
    },
    "models.classical.spline_white.SplineWhite": {
        **GRID,
        "level_dbfs": Key(Number(-200, 0), "RMS level of the added white noise; a constant 1 has 0.", "dB"),
    },
    "models.classical.moving_average.MovingAverage": {"samples": Key(Whole(1, 100_000), "Samples of the mean, odd.", "samples")},
    **{f"models.classical.hold_curves.{curve}Hold": HOLD for curve in ("Linear", "Cubic", "Akima", "BandLimited")},
    "models.classical.hold_curves.PolynomialHold": {
        **HOLD,
        "order": Key(Whole(1, 1000), "Order of the polynomial."),
    },
    "models.classical.wiener.Wiener": DECISION_DIRECTED,
    "models.classical.wiener.WienerOracle": DECISION_DIRECTED,
    "models.classical.spectral_subtraction.SpectralSubtraction": SUBTRACTION,
    "models.classical.spectral_subtraction.SpectralSubtractionOracle": SUBTRACTION,
    "models.classical.spectral_subtraction.BeroutiSubtraction": {
        "sample_rate": RATE,
        "floor": Key(Number(0, 1), "Lowest power that is left, as a share of the power of the noise."),
    },
    "models.classical.mmse.MmseStsa": DECISION_DIRECTED,
    "models.classical.mmse.MmseStsaOracle": DECISION_DIRECTED,
    "models.classical.mmse.MmseLsa": DECISION_DIRECTED,
    "models.classical.mmse.MmseLsaOracle": DECISION_DIRECTED,
    "models.classical.block_thresholding.BlockThresholding": {"sample_rate": RATE},
    "models.classical.block_thresholding.BlockThresholdingOracle": {"sample_rate": RATE},
    "models.classical.total_variation.TotalVariation": TOTAL_VARIATION,
    "models.classical.total_variation.TotalVariationOracle": TOTAL_VARIATION,
    "models.classical.line_enhancer.LmsLineEnhancer": {**LINE_ENHANCER, **STEP},
    "models.classical.line_enhancer.NlmsLineEnhancer": {**LINE_ENHANCER, **STEP},
    "models.classical.line_enhancer.RlsLineEnhancer": {
        **LINE_ENHANCER,
        "memory_seconds": Key(Number(0, 1000, above=True), "Time in which the past is forgotten by 1/e.", "s"),
    },
    "models.classical.smoothing.Butterworth": SMOOTHING,
    "models.classical.smoothing.Chebyshev": {**SMOOTHING, **RIPPLE},
    "models.classical.smoothing.Elliptic": {
        **SMOOTHING,
        **RIPPLE,
        "stop_db": Key(Number(0, 200, above=True), "Least loss of the stop band, each time; above the ripple.", "dB"),
    },
    "models.classical.ar_declick.ARDeclick": {
        "sample_rate": RATE,
        "order": Key(Whole(1, 512), "Samples that predict the next one.", "samples"),
        "threshold": Key(Number(0, 1000, above=True), "Deviations of what a sample is off beyond which it is a click."),
        "rounds": Key(Whole(1, 100), "How often models are estimated and clicks looked for.", "rounds"),
    },
    "models.classical.consistent_declip.ConsistentDeclip": {"sample_rate": RATE},
    "models.classical.nmf.NMF": {
        "sample_rate": RATE,
        "components": Key(Whole(1, 4096), "Spectra of the sound."),
        "iterations": Key(Whole(1, 100_000), "Iterations of the factorization.", "iterations"),
    },
    "models.classical.noise_canceller.NoiseCanceller": {
        **STEP,
        "sample_rate": RATE,
        "length_seconds": Key(Number(0, 1, above=True), "Length of the filter.", "s"),
    },
    "models.classical.phase_sensitive.PhaseSensitiveMaskOracle": {
        "fft_samples": Key(Whole(16, 2**20), "Length of a frame of the spectrogram.", "samples"),
        "hop_samples": Key(Whole(1, 2**20), "Distance of two frames; at most half of one.", "samples"),
    },
    "models.classical.band_oracles.BrickWallOracle": GRID,
    "models.classical.band_oracles.EnvelopeOracle": GRID,
    "models.classical.band_oracles.MagnitudeOracle": GRID,
    "models.classical.overdrive.OverdriveInverse": {
        "gain_db": Key(Number(0, 60), "Gain of the overdrive that is undone.", "dB"),
        **OVERDRIVE,
    },
    "models.classical.overdrive.OverdriveInverseOracle": OVERDRIVE,
    "models.classical.wpe.WPE": {
        "sample_rate": RATE,
        "taps": Key(Whole(1, 1000), "Frames that predict late reverberation.", "frames"),
        "delay": Key(Whole(1, 1000), "Frames between these and the predicted one.", "frames"),
        "iterations": Key(Whole(1, 100), "Iterations of weights and filters.", "iterations"),
    },
}
