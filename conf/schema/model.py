"""Keys of the group model: the training recipes."""

from conf.schema.data import SAMPLE_RATE
from conf.schema.declaration import Key, Keys, needed
from conf.schema.keys import Node, Section, Table
from conf.schema.kinds import LARGEST, Either, Flag, ListOf, Nothing, Number, OneOf, Whole, constant, nullable
from conf.schema.metrics import validated
from conf.schema.networks import AUTOENCODER, DISCRIMINATOR, NETWORK
from conf.schema.optimizing import OPTIMIZER, SCHEDULER
from conf.schema.texts import Text
from conf.schema.warm_up import BALANCE, WARM_UP
from lightning_modules.losses.registry import RECONSTRUCTION

WEIGHT = Number(0, 1e9)
NORM = nullable(Number(0, 1e12, above=True))
STEPS = Whole(1, 10_000)
RUN = Either((Text("a run folder, a checkpoint or a shipped model"), Whole(0, LARGEST), Nothing()))
PLAYERS = ("generator", "discriminator", "autoencoder")
BASE: Keys = {
    "net": needed(NETWORK, "The network, or the method without training."),
    "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
}
LOSS_NETWORK = Key(
    nullable(Text("a run folder, a checkpoint or a shipped model")),
    "A run of model=deep_feature or deep_feature_mel, by whose classifier loss_weights.deep_feature compares.",
)
MONITOR = Key(OneOf(validated), "Metric that plateau schedules watch; follows the key monitor.")


def weights(names: dict[str, str]) -> Section:
    """Declare weights by name; 0 leaves a term out."""
    return Section({name: Key(WEIGHT, f"Weight of the {what}; 0 leaves it out.") for name, what in names.items()})


WAVEFORMS = {name: info.title for name, info in RECONSTRUCTION.items()}
PLAIN: Keys = {
    **BASE,
    "loss_weights": needed(weights(WAVEFORMS), "Weights of the losses."),
    "optimizer": needed(OPTIMIZER, "How weights follow their gradients; the group optimizer."),
    "scheduler": Key(nullable(SCHEDULER), "How the learning rate changes; the group scheduler; null: it stays."),
    "monitor": MONITOR,
    "gradient_clip_norm": Key(NORM, "Largest norm of the gradient; null leaves it alone."),
    "loss_network": LOSS_NETWORK,
}
TARGET_FIELD: Keys = {
    **PLAIN,
    "target_samples": Key(
        nullable(Whole(1, LARGEST)), "Samples in the middle of a window that are compared; null: all.", "samples"
    ),
}
SPECTRAL_WEIGHTS = {**WAVEFORMS, "log_spectrum": "squared error of log spectra"}
SPECTRAL: Keys = {
    **PLAIN,
    "loss_weights": needed(weights(SPECTRAL_WEIGHTS), "Weights of the losses."),
    "pretraining_epochs": Key(Whole(0, 10_000_000), "How long each layer is trained by itself first; 0: not at all.", "epochs"),
}
MIXTURE: Keys = {
    **SPECTRAL,
    "loss_weights": needed(
        weights({**SPECTRAL_WEIGHTS, "statistics": "distance of the mixture's statistics from the batch's"}),
        "Weights of the losses.",
    ),
}
PROGRESSIVE: Keys = {
    **PLAIN,
    "targets": Key(OneOf(constant("lightning_modules.losses.targets", "TARGETS")), "What a step is to reach."),
    "step_weights": Key(OneOf(constant("lightning_modules.losses.targets", "STEP_WEIGHTS")), "How much each step counts."),
    "band_start_hz": Key(Number(0, 100_000), "With targets=band: cut-off of the corrupted signal.", "Hz"),
    "compared_steps": Key(nullable(STEPS), "Steps compared in a training step; null: all.", "steps"),
    "training_steps": Key(
        nullable(ListOf(STEPS, 2, 2)), "[low, high], from which the number of steps is drawn; null: as restoring.", "steps"
    ),
    "gradient_steps": Key(nullable(STEPS), "Steps that a gradient goes back; null: all.", "steps"),
    "recompute": Key(Flag(), "Less memory, more time."),
}
ADVERSARIAL_LOSSES = {
    **WAVEFORMS,
    "adversarial": "adversarial loss",
    "feature_matching": "distance of the discriminator's activations",
}
ADVERSARIAL: Keys = {
    **BASE,
    "loss_weights": needed(weights(ADVERSARIAL_LOSSES), "Weights of the generator's losses."),
    "discriminator": needed(DISCRIMINATOR, "The network that tells clean from restored; the group discriminator."),
    "generator_optimizer": needed(OPTIMIZER, "How the generator learns; the group optimizer."),
    "discriminator_optimizer": needed(OPTIMIZER, "How the discriminator learns; the group optimizer."),
    "adversary": Key(OneOf(constant("lightning_modules.losses.adversarial", "ADVERSARIES")), "The adversarial loss."),
    "penalty_weights": Key(
        nullable(weights({"r1": "R1 penalty", "gradient_penalty": "gradient penalty"})), "Penalties of the discriminator."
    ),
    "accumulate_batches": Key(Whole(1, 100_000), "Batches whose gradients are added up for every step.", "batches"),
    "discriminator_steps": Key(Whole(1, 1000), "Steps of the discriminator for each of the generator.", "steps"),
    "warm_up": Key(nullable(WARM_UP), "When the other losses join the reconstruction loss; the group warm_up."),
    "balance": Key(
        nullable(BALANCE), "What loss_weights are: factors, or shares of the gradient at the output; the group balance."
    ),
    "schedulers": Key(
        nullable(Section({name: Key(nullable(SCHEDULER), f"Of the {name}; the group scheduler.") for name in PLAYERS})),
        "How learning rates change, by network.",
    ),
    "gradient_clip_norms": Key(
        nullable(Section({name: Key(NORM, f"Of the {name}; null leaves it alone.") for name in PLAYERS})),
        "Largest norms of gradients, by network.",
    ),
    "monitor": MONITOR,
    "loss_network": LOSS_NETWORK,
}
DISTANCE = OneOf(("l2", "l1", "log_mse"))
MUGAN: Keys = {
    **ADVERSARIAL,
    "loss_weights": needed(
        weights({**ADVERSARIAL_LOSSES, "feature": "distance of the autoencoder's features"}), "Weights of the generator's losses."
    ),
    "autoencoder": needed(AUTOENCODER, "The network whose features are compared; the group autoencoder."),
    "autoencoder_optimizer": needed(OPTIMIZER, "How the autoencoder learns; the group optimizer."),
    "autoencoder_checkpoint": Key(
        nullable(Text("a run folder, a checkpoint or a shipped model")),
        "A run of model=autoencoder that it comes from; null trains it in this run.",
    ),
    "autoencoder_loss": Key(DISTANCE, "What it is trained on."),
    "feature_distance": Key(DISTANCE, "How features are compared."),
}
STAGE = Section(
    {
        "train": needed(ListOf(OneOf(PLAYERS), longest=len(PLAYERS)), "Networks that move in it; the others stay as they are."),
        "epochs": needed(nullable(Whole(1, 10_000_000)), "How long it is; null for the last one: to the end.", "epochs"),
    }
)
STAGED: Keys = {**MUGAN, "stages": needed(Table(STAGE, "names of stages"), "Parts of the training, in their order.")}
LABELS: Keys = {
    "tasks": Key(Whole(1, 3), "Kinds of labels: kind, source and speaker, in this order."),
    "classes": Key(Whole(2, 65_536), "Different labels of each that are told apart at most."),
}
CLASSIFIER = Node(
    "classifier",
    {
        "models.dilated_denoiser.SoundClassifier": {
            "layers": Key(Whole(6, 64), "Convolutions, all but the last of which halve the rate.", "layers"),
            "channels": Key(Whole(1, 65_536), "Channels of the first five; twice as many after every fifth.", "channels"),
            **LABELS,
        },
        "models.mel_classifier.MelClassifier": {
            "sample_rate": needed(SAMPLE_RATE, "Sample rate; follows data.sample_rate.", "Hz"),
            "bands": Key(Whole(2, 65_536), "Bands of the mel scale."),
            "channels": Key(Whole(1, 65_536), "Channels of the first block; twice as many in each further one.", "channels"),
            "blocks": Key(Whole(3, 16), "Blocks of two convolutions."),
            **LABELS,
        },
    },
    ["models."],
    partial=True,
)
LEARNERS = ("net", "classifier")
LEARNING_STAGE = Section(
    {
        "train": needed(ListOf(OneOf(LEARNERS), longest=len(LEARNERS)), "Networks that move in it; the others stay as they are."),
        "epochs": needed(nullable(Whole(1, 10_000_000)), "How long it is; null for the last one: to the end.", "epochs"),
    }
)
DEEP_FEATURE: Keys = {
    **PLAIN,
    "loss_weights": needed(weights({**WAVEFORMS, "labels": "classifier's cross entropy"}), "Weights of the losses."),
    "classifier": needed(CLASSIFIER, "The network in whose features signals are compared."),
    "stages": needed(Table(LEARNING_STAGE, "names of stages"), "Parts of the training, in their order."),
}
REFINEMENT = Node(
    "refinement",
    {
        "models.refinement.Refinement": {
            "steps": Key(Whole(0, 10_000), "Steps of the refinement; 0 is the generator alone.", "steps"),
            "step_size": Key(Number(0, 1e6, above=True), "Length of a step, over the size of what moves."),
            "rule": Key(OneOf(constant("models.refinement", "RULES")), "How a step follows from the gradient."),
            "momentum": Key(Number(0, 1, below=True), "Share of the step before, with rule=momentum."),
            "enough_logit": Key(nullable(Number(-1e6, 1e6)), "Logit above which a signal is left alone; null: none is."),
        }
    },
    ["models."],
)
SHAPING = Node(
    "shaping",
    {
        "lightning_modules.training.shaping.Shaping": {
            "after_epochs": Key(Whole(0, 10_000_000), "Epochs of adversarial training before it.", "epochs"),
            "rate_factor": Key(Number(0, 1e6), "Factor of the discriminator's learning rate; 0 leaves it as it is."),
            "patience": Key(Whole(1, 10_000_000), "Epochs without a smaller loss that end the run.", "epochs"),
            "min_delta": Key(Number(0, 1, below=True), "Share of the loss that counts as smaller."),
        }
    },
    ["lightning_modules."],
)
COLLABORATIVE: Keys = {
    **MUGAN,
    "refinement": needed(REFINEMENT, "How the discriminator moves what the generator restores."),
    "shaping": needed(SHAPING, "When the discriminator is shaped for that."),
    "layer": Key(
        nullable(Whole(0, 64)), "Up blocks before the activation that moves; 0: the bottleneck; null: the signal itself."
    ),
    "proximity": Key(WEIGHT, "Weight of the distance to the generator's own output; 0 leaves it out."),
    "low_band": Key(WEIGHT, "Weight of the distance to the input below low_band_hz; 0 leaves it out."),
    "low_band_hz": Key(nullable(Number(0, 100_000, above=True)), "Cut-off of that band.", "Hz"),
    "base": Key(RUN, "A finished adversarial run that it starts from; follows init_from."),
}
ROOM = "lightning_modules."
RECIPES: dict[str, Keys] = {
    f"{ROOM}base.RestorationModule": BASE,
    f"{ROOM}base.OracleModule": BASE,
    f"{ROOM}fitted.FittedModule": BASE,
    f"{ROOM}regression.RegressionModule": PLAIN,
    f"{ROOM}target_field.TargetFieldModule": TARGET_FIELD,
    f"{ROOM}spectral_regression.SpectralRegression": SPECTRAL,
    f"{ROOM}spectral_regression.CleanSpectralRegression": SPECTRAL,
    f"{ROOM}spectral_regression.MixtureRegression": MIXTURE,
    f"{ROOM}autoencoding.AutoencoderModule": PLAIN,
    f"{ROOM}deep_feature.DeepFeatureModule": DEEP_FEATURE,
    f"{ROOM}single_step.SingleStepModule": PLAIN,
    f"{ROOM}progressive.ProgressiveModule": PROGRESSIVE,
    f"{ROOM}progressive.SummedModule": PROGRESSIVE,
    f"{ROOM}adversarial.AdversarialModule": ADVERSARIAL,
    f"{ROOM}segan.SEGANModule": ADVERSARIAL,
    f"{ROOM}mugan.MUGANModule": MUGAN,
    f"{ROOM}modular_gan.ModularGANModule": MUGAN,
    f"{ROOM}staged.StagedModule": STAGED,
    f"{ROOM}collaborative_gan.CollaborativeGANModule": COLLABORATIVE,
}
MODEL = Node("method", RECIPES, [ROOM])
