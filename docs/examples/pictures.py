"""The recurrent network for spectrograms on pictures, trained to reach a higher resolution with every step.

    python docs/examples/pictures.py --strip pictures.png

Nothing in `ConvRNN` asks for sound between its analysis and its synthesis: two methods turn it into a network for pictures. It is
given drawn shapes at an eighth of their resolution and returns, after step t of T, the picture at a resolution that is
8^(t / T) times that of the input. Printed is the peak signal-to-noise ratio by step: to what the step is to reach, and to the
whole picture. In the strip, from left to right: the input, the steps, the picture.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from models.conv_rnn import ConvRNN

SIZE, COARSEST, STEPS, BATCH = 64, 8, 6, 16


class PictureRNN(ConvRNN):
    """Takes away from pictures (N, 1, H, W), H and W multiples of 8, what their states say is wrong with them."""

    def analyze(self, corrupted: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pictures as they are, where there were a level and a spectrogram."""
        return torch.ones(()), corrupted

    def without(self, corrupted: Tensor, level: Tensor, noise: Tensor) -> Tensor:
        """Return the pictures (N, 1, H, W) without what was found."""
        return corrupted - noise


def shapes(count: int, generator: torch.Generator) -> Tensor:
    """Draw pictures (N, 1, H, W) between -1/2 and 1/2: on a slope, five discs and five tilted rectangles, one over the other."""
    axis = torch.linspace(-1, 1, SIZE)
    y, x = axis[:, None].expand(SIZE, SIZE), axis.expand(SIZE, SIZE)
    gray = lambda: 0.9 * torch.rand(count, 1, 1, generator=generator) - 0.45  # noqa: E731
    pictures = gray() / 2 * x + gray() / 2 * y
    for number in range(10):
        center = 2 * torch.rand(2, count, 1, 1, generator=generator) - 1
        angle = torch.pi * torch.rand(count, 1, 1, generator=generator)
        extent = 0.1 + 0.4 * torch.rand(2, count, 1, 1, generator=generator)
        u = (x - center[0]) * angle.cos() + (y - center[1]) * angle.sin()
        v = (y - center[1]) * angle.cos() - (x - center[0]) * angle.sin()
        disc, rectangle = u**2 + v**2 < extent[0] ** 2, (u.abs() < extent[0]) & (v.abs() < extent[1])
        pictures = torch.where(disc if number % 2 else rectangle, gray(), pictures)
    return pictures[:, None]


def at_resolution(pictures: Tensor, step: int) -> Tensor:
    """Return pictures (N, 1, H, W) as they are to be after a step: 0 gives the input, STEPS the whole picture."""
    size = round(SIZE / COARSEST ** (1 - step / STEPS))
    coarse = functional.interpolate(pictures, size=(size, size), mode="area")
    return functional.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic", align_corners=False)


def train(updates: int, generator: torch.Generator) -> PictureRNN:
    """Train on pictures that are drawn anew for every update; every step counts alike."""
    torch.manual_seed(generator.initial_seed())
    net = PictureRNN(STEPS, 96, 96, step_features=STEPS, representation="magnitude")
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, updates))
    for update in range(1, updates + 1):
        pictures = shapes(BATCH, generator)
        targets = torch.stack([at_resolution(pictures, step) for step in range(1, STEPS + 1)])
        loss = (net.estimates(at_resolution(pictures, 0)) - targets).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
        if update % 200 == 0:
            print(f"update {update}: mean squared error {loss.item():.5f}", flush=True)
    return net.eval()


def psnr_db(estimates: Tensor, pictures: Tensor) -> float:
    """Return the peak signal-to-noise ratio of pictures with a range of 1, the mean over pictures."""
    errors = (estimates - pictures).square().mean(dim=(1, 2, 3))
    return float((-10 * torch.log10(errors)).mean())


def save_strip(path: Path, columns: list[Tensor]) -> None:
    """Save pictures (N, 1, H, W) as a PNG, a row for each and a column for each step."""
    from matplotlib import image

    rows = torch.cat([functional.pad(column[:, 0], (1, 1, 1, 1), value=0.5) for column in columns], dim=2)
    image.imsave(path, rows.flatten(0, 1).clamp(-0.5, 0.5).numpy(), cmap="gray", vmin=-0.5, vmax=0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the recurrent network on pictures, to ever higher resolution.")
    parser.add_argument("--updates", type=int, default=400, help="of the weights; 400 take a minute of one core")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strip", type=Path, metavar="PNG", help="three pictures, step by step")
    options = parser.parse_args()
    net = train(options.updates, torch.Generator().manual_seed(options.seed))
    pictures = shapes(64, torch.Generator().manual_seed(2**31))  # of no training
    with torch.no_grad():
        steps = [at_resolution(pictures, 0), *net.estimates(at_resolution(pictures, 0))]
    print("| step | PSNR to the step's target, dB | of the input to it, dB | PSNR to the picture, dB |\n|---|---|---|---|")
    for step, estimate in enumerate(steps):
        target = at_resolution(pictures, step)
        aimed = [f"{psnr_db(one, target):.2f}" if step else "–" for one in (estimate, steps[0])]
        print(f"| {step} | {' | '.join(aimed)} | {psnr_db(estimate, pictures):.2f} |")
    if options.strip:
        save_strip(options.strip, [*(step[:3] for step in steps), pictures[:3]])


if __name__ == "__main__":
    main()
