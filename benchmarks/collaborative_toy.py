"""Collaborative sampling where the answer is known: eight Gaussians on a circle, some of them rare.

    python benchmarks/collaborative_toy.py [SEED ...]

A small GAN is stopped early. Its samples are compared with the same after rejection by its discriminator (Azadi et al., arXiv
1810.06758), after refinement (50 steps in data space), and after refinement by a discriminator shaped on refined samples, as
in Liu, Kothari and Alahi (arXiv 1902.00813), whose plots show 0.20, 0.86, 0.92 and 0.96 for the share of good samples of such a
case. A sample is good within four standard deviations of a center. The divergence of Jensen and Shannon (in nats) is that of the
share of good samples per center from the truth; refinement moves samples to the nearest center: it mends places, not shares.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from models.refinement import Refinement, at_steps, best_of, walk

SPREAD = 0.05
SHARES = torch.tensor([4.0, 1.0] * 4) / 20
TRAINING_STEPS = 500
SHAPING_STEPS = 2000
SHAPING_RATE = 0.02
BATCH = 256
SAMPLES = 4000
WALK = Refinement(steps=50, step_size=0.1, rule="momentum", momentum=0.9)
"""The published step; momentum of 0.9 makes it ten times as long in the end."""


def main(seeds: list[int]) -> None:
    print(f"{'seed':>4} {'':18} {'good':>6} {'JS':>6}")
    for seed in seeds:
        for name, (good, divergence) in compare(seed).items():
            print(f"{seed:>4} {name:18} {good:6.3f} {divergence:6.3f}")


def compare(seed: int) -> dict[str, tuple[float, float]]:
    """Return the share of good samples, and the divergence, of four ways to sample."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    generator, discriminator = mlp(2, 2), mlp(2, 1)
    train(generator, discriminator, draw)
    plain = generated(generator, SAMPLES, draw)
    results = {
        "generator": plain,
        "rejection": rejected(generator, discriminator, draw),
        "refined": refined(discriminator, plain),
    }
    shape(generator, discriminator, draw)
    results["refined, shaped"] = refined(discriminator, plain)
    return {name: score(samples) for name, samples in results.items()}


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, outputs))


def centers() -> Tensor:
    angles = torch.arange(8) * torch.pi / 4
    return 2 * torch.stack([angles.cos(), angles.sin()], dim=1)


def true_samples(count: int, draw: torch.Generator) -> Tensor:
    chosen = torch.multinomial(SHARES, count, replacement=True, generator=draw)
    return centers()[chosen] + SPREAD * torch.randn(count, 2, generator=draw)


@torch.no_grad()
def generated(generator: nn.Module, count: int, draw: torch.Generator) -> Tensor:
    samples: Tensor = generator(torch.randn(count, 2, generator=draw))
    return samples


def train(generator: nn.Module, discriminator: nn.Module, draw: torch.Generator) -> None:
    adam = [torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.5, 0.999)) for net in (generator, discriminator)]
    for _ in range(TRAINING_STEPS):
        fakes = generator(torch.randn(BATCH, 2, generator=draw))
        step(adam[1], discriminator_loss(discriminator, true_samples(BATCH, draw), fakes.detach()))
        step(adam[0], functional.softplus(-discriminator(fakes)).mean())


def shape(generator: nn.Module, discriminator: nn.Module, draw: torch.Generator) -> None:
    """Train D on true samples and on samples refined for a uniformly random number of steps."""
    gently = torch.optim.SGD(discriminator.parameters(), lr=SHAPING_RATE)
    for _ in range(SHAPING_STEPS // 10):
        start = generated(generator, 10 * BATCH, draw)
        degrees = torch.randint(WALK.steps + 1, (len(start),), generator=draw)
        fakes = at_steps(walked(discriminator, start), degrees)[:, 0]
        for batch in fakes.split(BATCH):
            step(gently, discriminator_loss(discriminator, true_samples(BATCH, draw), batch))


def discriminator_loss(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return functional.softplus(-discriminator(real)).mean() + functional.softplus(discriminator(fake)).mean()


def step(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def walked(discriminator: Callable[[Tensor], Tensor], samples: Tensor):
    """Refine in data space: a sample (N, 2) is a signal of two samples."""
    return walk(samples[:, None], lambda points: points, lambda points: discriminator(points[:, 0])[:, 0], WALK)


def refined(discriminator: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    return best_of(walked(discriminator, samples)).signal[:, 0]


@torch.no_grad()
def rejected(generator: nn.Module, discriminator: nn.Module, draw: torch.Generator) -> Tensor:
    """Keep a sample with the probability of its density ratio over the largest one (Azadi et al., gamma = 0)."""
    pool = generated(generator, 50 * SAMPLES, draw)
    logits = discriminator(pool)[:, 0]
    return pool[torch.rand(len(pool), generator=draw) < (logits - logits.max()).exp()]


def score(samples: Tensor) -> tuple[float, float]:
    distances, nearest = torch.cdist(samples, centers()).min(dim=1)
    good = distances < 4 * SPREAD
    counts = torch.bincount(nearest[good], minlength=8) / max(1, int(good.sum()))
    middle = (counts + SHARES) / 2
    divergence = sum(torch.xlogy(part, part / middle).sum() / 2 for part in (counts, SHARES))
    return good.float().mean().item(), float(divergence)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seeds", nargs="*", type=int, default=[0, 1, 2], metavar="SEED")
    options = parser.parse_args()
    main(options.seeds)
