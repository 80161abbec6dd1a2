"""Time the recurrent denoiser: convolutions against a loop over patches, and restoration against real time.

    python benchmarks/conv_rnn_speed.py [--seconds 2] [--threads 2]

The loop is the published description at its size (states and layers of 512): for every patch the patch, its state and the
states of its eight neighbors are put in a row and multiplied by the weights, in float32. Both take four steps over two seconds
at 16 kHz; the convolutions see to the input once, and are timed in float32 and in the bf16 that training uses here. That
both give the same states is checked. The real-time factor is that of the stream in restore.py.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hydra import compose, initialize_config_dir

from conf.compose import plain
from lightning_modules.runs.checkpoint import build_restorer
from models.conv_rnn import ConvRNN
from models.layers.spectrogram_patches import cut
from models.streaming.restoration import RestorationStream, Settings

RATE_HZ = 16000
STEPS = 4
RESTORED_SECONDS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    parser.add_argument("--seconds", type=float, default=2.0, help="of audio for the steps of the literal size")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print("| what | loop s | convolutions s | ratio | bf16 s | ratio |\n|---|---|---|---|---|---|")
    for what, seconds in compare(int(options.seconds * RATE_HZ)).items():
        loop, full, half = seconds
        print(f"| {what} | {loop:.3f} | {full:.4f} | {loop / full:.0f} | {half:.4f} | {loop / half:.0f} |", flush=True)
    print("\n| restoring 16 kHz mono | real-time factor |\n|---|---|")
    with torch.inference_mode():
        for model in ("conv_rnn", "conv_rnn_single_step"):
            print(f"| {model} | {real_time_factor(model):.4f} |")


def compare(samples: int) -> dict[str, tuple[float, float, float]]:
    """Return the seconds of some steps by the loop, by convolutions in float32 and under bf16 autocast."""
    torch.manual_seed(0)
    net = ConvRNN()
    torch.nn.init.normal_(net.perceptron.last.weight, std=0.02)
    spectrum = net.spectrum.analyze(torch.randn(1, samples))
    patches = cut(spectrum)[0]

    def loop() -> torch.Tensor:
        state = torch.zeros_like(patches)
        for _ in range(STEPS):
            state = state + loop_over_patches(net, patches, state)
        return state

    def convolutions() -> torch.Tensor:
        input_projection, state = net.perceptron.prepare(spectrum), torch.zeros_like(patches)[None]
        for step in range(1, STEPS + 1):
            state = net.advance(input_projection, state, step, net.steps)
        return state[0]

    def mixed() -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return convolutions()

    torch.testing.assert_close(convolutions(), loop(), rtol=0, atol=1e-4)
    kinds = ((loop, 1), (convolutions, 5), (mixed, 5))
    with torch.inference_mode():
        forward = [best(function, rounds) for function, rounds in kinds]
    trained = [best(lambda function=function: function().square().mean().backward(), rounds) for function, rounds in kinds]
    return {f"{STEPS} steps": tuple(forward), f"{STEPS} steps and their gradient": tuple(trained)}  # type: ignore[dict-item]


def loop_over_patches(net: ConvRNN, patches: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    """Apply the perceptron patch by patch, (512, I, J) and (512, I, J) to (512, I, J)."""
    perceptron = net.perceptron
    weights = torch.cat([perceptron.patch.weight.flatten(1), perceptron.neighbors.weight.flatten(1)], dim=1)
    middle, last = perceptron.middle.weight.flatten(1), perceptron.last.weight.flatten(1)
    around = torch.nn.functional.pad(state, (1, 1, 1, 1))
    changes = []
    for row in range(state.shape[1]):
        for column in range(state.shape[2]):
            inputs = torch.cat([patches[:, row, column], around[:, row : row + 3, column : column + 3].flatten()])
            hidden = torch.relu(weights @ inputs + perceptron.patch.bias)
            hidden = torch.relu(middle @ hidden + perceptron.middle.bias)
            changes.append(last @ hidden + perceptron.last.bias)
    return torch.stack(changes, dim=1).view_as(state)


def best(function: Callable[[], object], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def real_time_factor(model: str) -> float:
    """Return the seconds of restoring one second, the first chunk as a warm-up."""
    with initialize_config_dir(str(ROOT / "conf")):
        module = build_restorer(plain(compose("train", [f"model={model}", "data.sample_rate=16000"]).model)).eval()
    signal = 0.1 * torch.randn(1, RESTORED_SECONDS * RATE_HZ, dtype=torch.float64)

    def restore() -> torch.Tensor:
        stream = RestorationStream(module.restore, module.chunking(), RATE_HZ, RATE_HZ, 1, Settings())
        for block in signal.split(RATE_HZ, dim=-1):
            stream.push(block)
        return stream.flush()

    restore()
    return best(restore, 3) / RESTORED_SECONDS


if __name__ == "__main__":
    main()
