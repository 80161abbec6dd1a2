"""What a discriminator and a generator minimize against each other, and the penalties that keep the discriminator smooth.

D(.) are logits, of any shape: a discriminator judges stretches of a window, and all judgments count the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

Judge = Callable[[Tensor], Tensor]
"""From signals (B, C, T) to logits."""


@dataclass(frozen=True)
class Adversary:
    """A pair of losses.

    Attributes:
        discriminator: (logits of clean, logits of restored) -> () loss of D.
        generator: logits of restored -> () loss of G.
        threshold: logits above it call a signal clean.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]
    threshold: float


def bce_discriminator(clean: Tensor, restored: Tensor) -> Tensor:
    """Return -log sigma(D(y)) - log(1 - sigma(D(G(x)))) of logits, averaged (Goodfellow et al., arXiv 1406.2661, equation 1).

    Args:
        clean: logits of clean signals.
        restored: logits of restored signals.

    Returns:
        () scalar.

    >>> round(bce_discriminator(torch.zeros(3), torch.zeros(3)).item(), 4)
    1.3863
    """
    return functional.softplus(-clean).mean() + functional.softplus(restored).mean()


def bce_generator(restored: Tensor) -> Tensor:
    """Return -log sigma(D(G(x))) of logits, averaged: the form that still teaches where D wins (section 3 of the same).

    Args:
        restored: logits of restored signals.

    Returns:
        () scalar.

    >>> round(bce_generator(torch.zeros(3)).item(), 4)
    0.6931
    """
    return functional.softplus(-restored).mean()


def bce_half_discriminator(clean: Tensor, restored: Tensor) -> Tensor:
    """Return half of `bce_discriminator`, as Billotais/Denoising-with-Generative-Models has it.

    Args:
        clean: logits of clean signals.
        restored: logits of restored signals.

    Returns:
        () scalar.

    >>> round(bce_half_discriminator(torch.zeros(3), torch.zeros(3)).item(), 4)
    0.6931
    """
    return bce_discriminator(clean, restored) / 2


def lsgan_discriminator(clean: Tensor, restored: Tensor) -> Tensor:
    """Return (D(y) - 1)^2 + D(G(x))^2, averaged (Mao et al., arXiv 1611.04076, equation 9, without its factor of 1/2).

    Args:
        clean: outputs for clean signals.
        restored: outputs for restored signals.

    Returns:
        () scalar.

    >>> lsgan_discriminator(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])).item()
    4.0
    """
    return (clean - 1).square().mean() + restored.square().mean()


def lsgan_generator(restored: Tensor) -> Tensor:
    """Return (D(G(x)) - 1)^2, averaged (Mao et al., equation 9, without its factor of 1/2).

    Args:
        restored: outputs for restored signals.

    Returns:
        () scalar.

    >>> lsgan_generator(torch.tensor([0.0, 2.0])).item()
    1.0
    """
    return (restored - 1).square().mean()


def hinge_discriminator(clean: Tensor, restored: Tensor) -> Tensor:
    """Return max(0, 1 - D(y)) + max(0, 1 + D(G(x))), averaged (Lim and Ye, arXiv 1705.02894).

    Args:
        clean: outputs for clean signals.
        restored: outputs for restored signals.

    Returns:
        () scalar.

    >>> hinge_discriminator(torch.tensor([0.5, 2.0]), torch.tensor([-2.0, 0.0])).item()
    0.75
    """
    return functional.relu(1 - clean).mean() + functional.relu(1 + restored).mean()


def hinge_generator(restored: Tensor) -> Tensor:
    """Return -D(G(x)), averaged (Lim and Ye, arXiv 1705.02894).

    Args:
        restored: outputs for restored signals.

    Returns:
        () scalar.

    >>> hinge_generator(torch.tensor([0.5, 1.5])).item()
    -1.0
    """
    return -restored.mean()


ADVERSARIES = {
    "bce": Adversary(bce_discriminator, bce_generator, threshold=0.0),
    "bce_half": Adversary(bce_half_discriminator, bce_generator, threshold=0.0),
    "lsgan": Adversary(lsgan_discriminator, lsgan_generator, threshold=0.5),
    "hinge": Adversary(hinge_discriminator, hinge_generator, threshold=0.0),
}


def find_adversary(name: str) -> Adversary:
    """Return the losses of a name.

    Raises:
        ValueError: for an unknown name, listing the known ones.
    """
    if name not in ADVERSARIES:
        raise ValueError(f"unknown model.adversary={name}; known: {', '.join(ADVERSARIES)}")
    return ADVERSARIES[name]


def r1_penalty(judge: Judge, clean: Tensor) -> Tensor:
    """Return |grad_y D(y)|^2 at the clean signals, averaged over the batch, with D(y) the mean of a window's logits.

    Mescheder, Geiger and Nowozin, "Which training methods for GANs do actually converge?" (arXiv 1801.04406), equation 9,
    without its factor of gamma / 2.

    Args:
        judge: from signals to logits; independent from example to example.
        clean: (B, C, T).

    Returns:
        () scalar, with a graph to the discriminator's weights.
    """
    return _gradient(judge, clean).square().sum(dim=(1, 2)).mean()


def gradient_penalty(judge: Judge, clean: Tensor, restored: Tensor, share: Tensor) -> Tensor:
    """Return (|grad D| - 1)^2 between clean and restored signals, averaged (Gulrajani et al., arXiv 1704.00028, equation 3).

    Args:
        judge: from signals to logits; independent from example to example.
        clean: (B, C, T).
        restored: (B, C, T), detached.
        share: (B, 1, 1) of the clean signal in the point between the two, evenly drawn from 0 to 1.

    Returns:
        () scalar, with a graph to the discriminator's weights.
    """
    between = share * clean + (1 - share) * restored
    return (_gradient(judge, between).square().sum(dim=(1, 2)).sqrt() - 1).square().mean()


def _gradient(judge: Judge, signals: Tensor) -> Tensor:
    """Return the gradient of each example's mean logit at its signal, (B, C, T), in float32 under any autocast."""
    points = signals.detach().float().requires_grad_()
    with torch.autocast(points.device.type, enabled=False):
        logits = judge(points)
        (gradient,) = torch.autograd.grad(logits.sum() * (points.shape[0] / logits.numel()), points, create_graph=True)
    return gradient


def feature_matching(clean: Sequence[Tensor], restored: Sequence[Tensor]) -> Tensor:
    """Return the mean absolute difference of D's inner activations, averaged over its layers.

    Kumar et al., "MelGAN" (arXiv 1910.06711), equation 4, with every layer's mean in place of its sum.

    Args:
        clean: activations for the clean signals, one tensor per layer.
        restored: those for the restored signals, of the same shapes.

    Returns:
        () scalar.

    >>> feature_matching([torch.tensor([1.0, 2.0])], [torch.tensor([0.0, 2.0])]).item()
    0.5
    """
    distances = [(there.detach() - here).abs().mean() for there, here in zip(clean, restored, strict=True)]
    return torch.stack(distances).mean()
