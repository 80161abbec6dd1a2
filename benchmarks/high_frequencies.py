"""What connected layers do to high frequencies: errors below and above 4 kHz, theirs and those of convolutions in their place.

    python benchmarks/high_frequencies.py DIR WORK              # speech at 16 kHz in 5 dB of white noise, minutes a network
    python benchmarks/high_frequencies.py DIR WORK --smoke      # one batch and one pair: does it run?

Fu et al. (arXiv 1703.02205) say that fully connected layers lose high frequencies, as their outputs know no neighbors. DIR
holds recordings; each network is trained on them by train.py in WORK/NAME, unless it has been. The table shows signal-to-noise
ratios of all test pairs together, within each band.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from hydra import compose, initialize_config_module
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conf.compose import instantiate
from lightning_modules.commands.opening import open_method

MODELS = ("fcn_raw", "fcn_raw_connected", "fcn_raw_published", "fcn_raw_connected_published")
RATE_HZ, EDGE_HZ = 16_000, 4_000
HEAD = f"| model | below {EDGE_HZ} Hz, dB | above, dB | all, dB |\n|---|---|---|---|"


def overrides(audio: Path, work: Path, smoke: bool) -> list[str]:
    """Return the settings that all networks share: data, corruption, and the size of a trial."""
    data = ["data=folder", f"data.root={audio}", f"data.sample_rate={RATE_HZ}", f"data.cache_dir={work / 'cache'}"]
    return [*data, "corruption=noise", "corruption.snr_db=5", *(["trainer=smoke"] if smoke else [])]


def train(model: str, shared: list[str], run: Path, minutes: float) -> None:
    """Train a network, unless its run has ended; end if it fails."""
    if (run / "result.json").exists():
        return
    limit = [] if "trainer=smoke" in shared else [f"trainer.max_time=00:00:00:{round(60 * minutes)}"]
    command = [sys.executable, str(ROOT / "train.py"), f"model={model}", *shared, *limit, "logger=csv", f"run_dir={run}"]
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode:
        sys.exit(f"{model} was not trained; what is above says why")


def test_pairs(model: str, shared: list[str]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield corrupted and clean test signals (B, C, T)."""
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=[f"model={model}", *shared, "run_name=benchmark", "run_dir=benchmark"])
    data = instantiate(cfg.data)
    data.prepare_data()
    data.setup("test")
    for batch in data.test_dataloader():
        yield batch["corrupted"], batch["clean"]


def ratios_db(pairs: Iterable[tuple[Tensor, Tensor]]) -> list[float]:
    """Return the signal-to-noise ratios below the edge, above it, and of all, of pairs of estimates and clean signals."""
    powers = torch.zeros(2, 2, dtype=torch.float64)  # of signals and errors, below and above
    for estimate, clean in pairs:
        power = torch.stack([torch.fft.rfft(signal.double()).abs().square() for signal in (clean, clean - estimate)])
        edge = round(EDGE_HZ / RATE_HZ * clean.shape[-1])
        powers += torch.stack([part.flatten(1).sum(dim=1) for part in (power[..., :edge], power[..., edge:])], dim=1)
    signal, error = torch.cat([powers, powers.sum(dim=1, keepdim=True)], dim=1)
    return (10 * torch.log10(signal / error)).tolist()


def row(name: str, values: list[float]) -> str:
    """Return a row of the table."""
    return f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |"


def main() -> None:
    """Train what is not trained, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", type=Path, metavar="DIR", help="a folder of recordings")
    parser.add_argument("work", type=Path, metavar="WORK", help="folder of runs and cache")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, for each network (default: 5)")
    parser.add_argument("--only", nargs="+", choices=MODELS, default=list(MODELS), help="these networks")
    parser.add_argument("--smoke", action="store_true", help="one batch and one pair, in WORK/smoke")
    options = parser.parse_args()
    if not options.audio.is_dir():
        sys.exit(f"{options.audio} is not a folder")
    work = options.work.resolve() / ("smoke" if options.smoke else "")
    shared = overrides(options.audio.resolve(), work, options.smoke)
    print(f"{HEAD}\n{row('the input', ratios_db(test_pairs(options.only[0], shared)))}", flush=True)
    for model in options.only:
        train(model, shared, work / model, options.minutes)
        module = open_method(str(work / model), "cpu")(RATE_HZ)
        with torch.inference_mode():
            restored = ((module.restore(corrupted), clean) for corrupted, clean in test_pairs(model, shared))
            print(row(model, ratios_db(restored)), flush=True)


if __name__ == "__main__":
    main()
