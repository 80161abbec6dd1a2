"""Keys of the networks, and of the methods that are fitted to nothing."""

from conf.schema.classical import CLASSICAL
from conf.schema.data import SAMPLE_RATE
from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node
from conf.schema.kinds import Either, Flag, ListOf, Number, OneOf, Only, Whole, constant, nullable
from datamodules.limits import HIGHEST_RATE_HZ

DEPTH = Key(Whole(1, 16), "Blocks, each of which halves the rate.", "blocks")
COUNTS = ListOf(Whole(1, 65_536), longest=64)
PLAN = nullable(COUNTS)
TAPS = Whole(1, 65_536)
DROPOUT = Key(Number(0, 1, below=True), "Share of activations that a training step leaves out.")
BIAS = Key(Flag(), "Whether convolutions have a bias; without, quiet passages are restored like loud ones, but near those.")
NORM = Key(OneOf(constant("models.layers.normalization", "NORMALIZATIONS")), "Normalization after convolutions.")
CONDITIONAL = Key(Flag(), "Judge a signal beside the corrupted one.")
MULTISCALE: Keys = {
    "depth": DEPTH,
    "filters": Key(PLAN, "Channels of each block; null is the default plan.", "channels"),
    "kernels": Key(ListOf(TAPS, longest=64), "Lengths of the convolutions of a block, side by side; odd.", "samples"),
    "split": Key(PLAN, "Share of the channels that each of them gets; null: equal."),
    "reduction": Key(Whole(1, 1024), "Divisor of the channels between blocks."),
    "dropout": DROPOUT,
    "bias": BIAS,
}
UNET: Keys = {
    "depth": DEPTH,
    "channels": Key(PLAN, "Channels of each block; null is the published plan.", "channels"),
    "kernels": Key(
        nullable(ListOf(TAPS, longest=64)), "Length of the convolution of each block; odd; null as published.", "samples"
    ),
    "dropout": DROPOUT,
}
TFILM: Keys = {
    **UNET,
    "bias": BIAS,
    "block_samples": Key(
        Whole(1, 2**20), "Length that is modulated alike, at every level; a multiple of 2^(depth + 1).", "samples"
    ),
    "segment_samples": Key(
        Whole(1, 2**30),
        "Length that is restored at once, where the recurrent network starts anew; a multiple of two blocks.",
        "samples",
    ),
}
SEGMENT = Key(Whole(1, 2**30), "Length that is restored at once; segments overlap by half.", "samples")
WAVENET: Keys = {
    "channels": Key(Whole(1, 65_536), "Channels of a block.", "channels"),
    "stacks": Key(Whole(1, 64), "How often dilations begin at 1 again.", "stacks"),
    "dilations": Key(Whole(1, 16), "Blocks of a stack, each of twice the dilation of the one before.", "blocks"),
    "head_channels": Key(ListOf(Whole(1, 65_536), 2, 2), "Channels of the two convolutions at the end.", "channels"),
    "segment_samples": SEGMENT,
}
FCN_RAW: Keys = {
    "layers": Key(Whole(1, 64), "Convolutions with a PReLU behind them.", "layers"),
    "filters": Key(Whole(1, 65_536), "Channels of each.", "channels"),
    "taps": Key(TAPS, "Length of each; odd.", "samples"),
}
CONNECTED_RAW: Keys = {
    **FCN_RAW,
    "hidden": Key(Whole(1, 65_536), "Width of the first fully connected layer.", "channels"),
    "frame_samples": Key(Whole(1, 2**20), "Length that is restored at once; frames do not overlap.", "samples"),
}
LOG_FRAMES: Keys = {
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
    "fft_samples": Key(Whole(2, 2**20), "Length of a frame of the spectrogram; even.", "samples"),
    "hop_samples": Key(Whole(1, 2**20), "Distance of two frames; at most half of one.", "samples"),
    "bands": Key(nullable(Whole(2, 2**20)), "Bands of the mel scale; null: every bin.", "bands"),
}
PATCHES: Keys = {**LOG_FRAMES, "context": Key(Whole(1, 1023), "Frames that are looked at together; odd.", "frames")}
DDAE: Keys = {**PATCHES, "hidden": Key(COUNTS, "Units of each layer, outermost first.", "channels")}
RECURRENT_SPECTRUM: Keys = {**PATCHES, "hidden": Key(Whole(1, 65_536), "Units of a layer.", "channels")}
SPLICE: Keys = {**LOG_FRAMES, "components": Key(Whole(1, 65_536), "Kinds of frames, each with a correction.", "components")}
STRIDED: Keys = {
    "channels": Key(COUNTS, "Channels of each strided convolution, outermost first.", "channels"),
    "stride": Key(Whole(2, 1024), "Stride of each."),
    "taps": Key(TAPS, "Length of each; odd.", "samples"),
}
SEGAN: Keys = {
    **STRIDED,
    "bias": BIAS,
    "segment_samples": SEGMENT,
    "pre_emphasis": Key(Number(0, 1, below=True), "a in x[n] - a x[n - 1], which the layers are given; 0: none."),
    "scaled": Key(Flag(), "Whether skips have a learned scale for every channel."),
}
STEPS = Key(Whole(1, 10_000), "Steps in which a signal is restored.", "steps")
FEATURES = Whole(0, 4096)
FRAME = Key(Whole(16, 2**20), "Length of a frame of the spectrogram.", "samples")
HOP = Key(Whole(1, 2**20), "Distance of two frames.", "samples")
RECURRENT: Keys = {
    "steps": STEPS,
    "state_channels": Key(nullable(Whole(1, 65_536)), "Numbers of the state of a patch; null: the patch itself.", "channels"),
    "hidden_channels": Key(Whole(1, 65_536), "Width of the hidden layer.", "channels"),
    "bias": BIAS,
    "step_features": Key(FEATURES, "Features of the gains by step; 0 for none.", "features"),
    "frequency_features": Key(FEATURES, "Features of the gains by frequency; 0 for none.", "features"),
    "gate": Key(Flag(), "Whether a gate says how much of a state changes."),
    "representation": Key(
        OneOf(constant("models.layers.spectrogram_patches", "REPRESENTATIONS")), "What of the spectrogram is worked on."
    ),
    "fft_samples": FRAME,
    "hop_samples": HOP,
}
CONV_RNN: Keys = {
    **RECURRENT,
    "neighborhood": Key(
        Either((Only(8), OneOf(("cross", "diagonals")))), "Whose states a patch sees beside its own: all 8 around it, or 4."
    ),
}
MASK_OF_PATCHES: Keys = {
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
    "channels": Key(Whole(1, 65_536), "Channels of a patch of the spectrogram.", "channels"),
    "blocks": Key(Whole(0, 64), "Blocks that let patches know of each other.", "blocks"),
    "fine_channels": Key(Whole(1, 4096), "Channels of every bin.", "channels"),
    "hidden_channels": Key(Whole(1, 4096), "Channels between these and the mask.", "channels"),
    "fft_samples": FRAME,
    "hop_samples": HOP,
}
MASK_NET: Keys = {
    **MASK_OF_PATCHES,
    "fft_samples": Key(nullable(FRAME.kind), "Length of a frame of the spectrum; null: 0.256 s.", "samples"),
    "hop_samples": Key(nullable(HOP.kind), "Distance of two frames; null: a quarter of one.", "samples"),
    "gain_channels": Key(Whole(0, 4096), "Channels of every bin in the second stage; 0 for none.", "channels"),
    "gain_fft_samples": Key(nullable(Whole(16, 2**20)), "Length of a frame of the second stage; null: 0.032 s.", "samples"),
    "gain_hop_samples": Key(nullable(Whole(1, 2**20)), "Distance of two frames of the second stage; null: a quarter.", "samples"),
    "detailed_hz": Key(
        nullable(Number(0, HIGHEST_RATE_HZ, above=True)),
        "Frequency up to which bins have masks of their own; above, eight share one. null: all bins have.",
        "Hz",
    ),
}
MASK_NET_CAUSAL: Keys = {
    **MASK_OF_PATCHES,
    "lookahead_frames": Key(Whole(0, 64), "Frames that are waited for before the mask of one is estimated.", "frames"),
    "memory_seconds": Key(Number(0, 3600, above=True), "After which a frame counts 1 / e in running statistics.", "s"),
}
BAND_NET: Keys = {
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
    "cutoff_hz": Key(
        nullable(Number(0, HIGHEST_RATE_HZ, above=True)),
        "Frequency up to which a signal is left as it is, below half of the sample rate; null: found for each example.",
        "Hz",
    ),
    "channels": Key(Whole(1, 65_536), "Channels of a frame.", "channels"),
    "blocks": Key(Whole(0, 64), "Blocks that let frames know of each other.", "blocks"),
    "kernel": Key(Whole(1, 1023), "Frames that a block spans; odd.", "frames"),
    "expansion": Key(Whole(1, 64), "Width of a block's inner layer, in channels."),
}
DEEP_PRIOR: Keys = {
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
    "levels": Key(Whole(1, 16), "How often the network halves the rate.", "levels"),
    "channels": Key(Whole(1, 65_536), "Channels of its first level; level i has i times as many.", "channels"),
    "steps": Key(Whole(0, 1_000_000), "Steps of a fit at most; below 2, a signal is returned as it is.", "steps"),
    "lr": Key(Number(0, 1000), "Learning rate of a fit, by Adam."),
    "settled": Key(Number(0, 1), "Change of the mask in 50 steps, root mean square, that ends a fit; 0: none does."),
    "seed": Key(Whole(0, 2**32), "Of the first weights and of the noise that is the network's input."),
}
ENCODER_DECODER_PUBLISHED: Keys = {
    "filters": Key(ListOf(Whole(1, 65_536), longest=64), "Filters of each level, outermost first.", "channels"),
    "dropout": DROPOUT,
}
ENCODER_DECODER: Keys = {**ENCODER_DECODER_PUBLISHED, "bias": BIAS}
STEREO_ROOM = "models.stereo_autoencoder"
STEREO_AUTOENCODER: Keys = {
    "code_channels": Key(Whole(1, 65_536), "Channels of the code.", "channels"),
    "hidden_channels": Key(Whole(1, 65_536), "Channels of the layers between.", "channels"),
    "stride": Key(Either((Only(4), Only(8), Only(16))), "Distance of two frames of the code.", "samples"),
    "layout": Key(OneOf(constant(STEREO_ROOM, "LAYOUTS")), "What the layers see."),
    "edges": Key(OneOf(constant(STEREO_ROOM, "EDGES")), "What they see around a signal."),
    "code_step": Key(nullable(Number(0, 1e6, above=True)), "To whose multiples the code is rounded; null: not at all."),
}
STEREO_NOISE_AUTOENCODER: Keys = {
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
    "noise_bands": Key(Whole(2, 256), "Bands of noise of each channel.", "bands"),
    **STEREO_AUTOENCODER,
}
NETWORKS: dict[str, Keys] = {
    "models.unet.UNet": {**UNET, "bias": BIAS},
    "models.unet.UNetPublished": {**UNET, "bias": BIAS},
    "models.tfilm.TFiLM": TFILM,
    "models.tfilm.TFiLMPublished": TFILM,
    "models.wavenet_denoiser.WaveNetDenoiser": WAVENET,
    "models.wavenet_denoiser.WaveNetDenoiserPublished": WAVENET,
    "models.fcn_raw.FCNRaw": FCN_RAW,
    "models.fcn_raw.FCNRawPublished": FCN_RAW,
    "models.fcn_raw.ConnectedRaw": CONNECTED_RAW,
    "models.fcn_raw.ConnectedRawPublished": CONNECTED_RAW,
    "models.ddae.DDAE": DDAE,
    "models.ddae.DDAEPublished": DDAE,
    **{
        f"models.recurrent_spectrum.{kind}": RECURRENT_SPECTRUM
        for kind in ("DRDAE", "DRDAEPublished", "RNNDFT", "RNNDFTPublished")
    },
    "models.segan.SEGAN": SEGAN,
    "models.segan.SEGANPublished": SEGAN,
    "models.splice.SPLICE": SPLICE,
    "models.mugan.MUGANGenerator": MULTISCALE,
    "models.conv_rnn.ConvRNN": CONV_RNN,
    "models.conv_rnn.ConvRNNPublished": CONV_RNN,
    "models.mask_net.MaskNet": MASK_NET,
    "models.mask_net_causal.MaskNetCausal": MASK_NET_CAUSAL,
    "models.band_net.BandNet": BAND_NET,
    **{f"models.deep_prior.{kind}": DEEP_PRIOR for kind in ("DeepPrior", "DeepPriorPublished")},
    **{
        f"models.dilated_denoiser.{kind}": {
            "layers": Key(Whole(1, 20), "Convolutions of dilations 1, 2, 4, ..., before one more of neighbors.", "layers"),
            "channels": Key(Whole(1, 65_536), "Channels of each.", "channels"),
        }
        for kind in ("DilatedDenoiser", "DilatedDenoiserPublished")
    },
    "models.encoder_decoder.EncoderDecoder": ENCODER_DECODER,
    "models.encoder_decoder.EncoderDecoderUNet": ENCODER_DECODER,
    "models.encoder_decoder.EncoderDecoderPublished": ENCODER_DECODER_PUBLISHED,
    f"{STEREO_ROOM}.StereoAutoencoder": STEREO_AUTOENCODER,
    "models.stereo_noise.StereoNoiseAutoencoder": STEREO_NOISE_AUTOENCODER,
    "models.cold_diffusion.ColdDiffusionRNN": {
        **RECURRENT,
        "inner_steps": Key(Whole(1, 10_000), "Steps of the network within one of the sampler.", "steps"),
    },
    "models.autoencoder.Autoencoder": {
        **MULTISCALE,
        "latent_channels": Key(nullable(Whole(1, 65_536)), "Channels of the features; null: what the filters give.", "channels"),
        "norm": NORM,
    },
    "models.unet_autoencoder.UNetAutoencoder": {**UNET, "norm": NORM},
}
SPAN = Key(Whole(1, 100_000_000), "Length that its last layer spans; follows data.window_samples.", "samples")
MUGAN_DISCRIMINATOR: Keys = {
    **MULTISCALE,
    "norm": NORM,
    "conditional": CONDITIONAL,
    "hidden": Key(Whole(1, 65_536), "Width of the last hidden layer.", "channels"),
}
MULTI_ROOM = "models.multi_discriminator"
MULTI_DISCRIMINATOR: Keys = {
    "fft_samples": Key(ListOf(Whole(4, 65_536), 0), "Windows of spectra, each of a judge of its own.", "samples"),
    "periods_samples": Key(ListOf(Whole(1, 65_536), 0), "Distances of samples, each of a judge of its own.", "samples"),
    "channels": Key(Whole(1, 65_536), "Channels of the layers within a judge.", "channels"),
    "sees": Key(OneOf(constant(MULTI_ROOM, "SEEN")), "What judges of spectra see."),
    "conditional": CONDITIONAL,
}
DISCRIMINATORS: dict[str, Keys] = {
    "models.discriminator.Discriminator": MUGAN_DISCRIMINATOR,
    f"{MULTI_ROOM}.MultiDiscriminator": MULTI_DISCRIMINATOR,
    "models.discriminator.WindowDiscriminator": {**MUGAN_DISCRIMINATOR, "window_samples": SPAN},
    "models.segan_discriminator.SEGANDiscriminator": {
        **STRIDED,
        "window_samples": SPAN,
        "norm": NORM,
        "conditional": CONDITIONAL,
    },
    "models.unet_discriminator.UNetDiscriminator": {
        **UNET,
        "window_samples": SPAN,
        "norm": NORM,
        "conditional": CONDITIONAL,
    },
}
NETWORK = Node("network", {**NETWORKS, **CLASSICAL}, ["models.", "torch.nn."])
AUTOENCODER = Node("autoencoder", NETWORKS, ["models."], partial=True)
DISCRIMINATOR = Node("discriminator", DISCRIMINATORS, ["models."], partial=True)
