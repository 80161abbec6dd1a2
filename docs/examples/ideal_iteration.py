"""The recurrent denoiser where the best iteration is known: a sine of one of nine pitches in white noise.

    python docs/examples/ideal_iteration.py

A signal is x = s + n, s = a cos(w_k t) + b sin(w_k t) with a, b ~ N(0, 1), each of nine w_k equally likely, and n white with a
deviation of 1: 0 dB on average. Every pitch has whole cycles in a signal, so that its two basis vectors are orthogonal to those
of the others. By Bayes' rule

    E[s | x] = sum_k p(k | x) g P_k x,     g = (T / 2) / (T / 2 + 1),     p(k | x) ~ exp(g |P_k x|^2 / 2),

P_k the projection on pitch k. After step t of T_0 the network is to reach x - (t / T_0)^2 n; the best that any iteration can
return is x - (t / T_0)^2 (x - E[s | x]), and what it lacks is (t / T_0)^4 E|s - E[s | x]|^2. Printed are that error and the
network's at every step, over the target of the step, and both signal-to-noise ratios to the clean signal.
"""

import argparse
import math
import sys
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from models.conv_rnn import ConvRNN

SAMPLES, STEPS, BATCH = 512, 8, 16
CYCLES = torch.arange(20, 110, 10)  # of the nine pitches in a signal: periods of 5 to 26 samples
GAIN = (SAMPLES / 2) / (SAMPLES / 2 + 1)


def basis() -> Tensor:
    """Return cosine and sine of every pitch, (K, 2, T)."""
    angles = 2 * math.pi * CYCLES[:, None] * torch.arange(SAMPLES) / SAMPLES
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def draw(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return clean signals (N, 1, T) and the same in noise."""
    pitches = torch.randint(len(CYCLES), (count,), generator=generator)
    levels = torch.randn(count, 2, 1, generator=generator)
    clean = (levels * basis()[pitches]).sum(dim=1, keepdim=True)
    return clean, clean + torch.randn(clean.shape, generator=generator)


def posterior_mean(noisy: Tensor) -> Tensor:
    """Return E[s | x] of signals x (N, 1, T)."""
    vectors = basis()
    inner = torch.einsum("kit,nct->nki", vectors, noisy)  # (N, K, 2)
    likely = torch.softmax(GAIN * inner.square().sum(dim=2) / SAMPLES, dim=1)  # |P_k x|^2 = 2 / T of the squares of inner
    return GAIN * torch.einsum("nk,nki,kit->nt", likely, inner * 2 / SAMPLES, vectors)[:, None]


def towards(clean: Tensor, noisy: Tensor, step: int) -> Tensor:
    """Return what step t aims at, x - (t / T_0)^2 (x - s)."""
    return torch.lerp(noisy, clean, (step / STEPS) ** 2)


def train(updates: int, generator: torch.Generator) -> ConvRNN:
    """Train on signals that are drawn anew for every update; every step counts alike."""
    torch.manual_seed(generator.initial_seed())
    net = ConvRNN(STEPS, 48, 64, step_features=STEPS, frequency_features=4, bias=False, fft_samples=128, hop_samples=16)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, updates))
    for update in range(1, updates + 1):
        clean, noisy = draw(BATCH, generator)
        targets = torch.stack([towards(clean, noisy, step) for step in range(1, STEPS + 1)])
        loss = (net.estimates(noisy) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        decay.step()
        if update % 100 == 0:
            print(f"update {update}: mean squared error {loss.item():.4f}", flush=True)
    return net.eval()


def ratio_db(estimates: Tensor, clean: Tensor) -> float:
    """Return the energy of all clean signals over that of all errors in dB."""
    return float(10 * torch.log10(clean.square().sum() / (estimates - clean).square().sum()))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the recurrent denoiser with the best iteration.")
    parser.add_argument("--updates", type=int, default=600, help="of the weights; 600 take a minute of one core")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    net = train(options.updates, torch.Generator().manual_seed(options.seed))
    clean, noisy = draw(256, torch.Generator().manual_seed(2**31))  # of no training
    ideal = posterior_mean(noisy)
    with torch.no_grad():
        estimates = net.estimates(noisy)
    print("| step | error of the best | of the network | SNR of the best, dB | of the network, dB |\n|---|---|---|---|---|")
    for step, estimate in enumerate(estimates, start=1):
        best, target = towards(ideal, noisy, step), towards(clean, noisy, step)
        errors = [f"{float((one - target).square().mean()):.5f}" for one in (best, estimate)]
        ratios = [f"{ratio_db(one, clean):.2f}" for one in (best, estimate)]
        print(f"| {step} | {' | '.join([*errors, *ratios])} |")


if __name__ == "__main__":
    main()
