"""Print the tables of docs/results.md from run and evaluation folders: methods beside all controls, kinds of recordings apart.

    python benchmarks/results_tables.py --manifest DIR/MANIFEST.csv "unet_small=runs/sr_*" "noise_fill=evaluations/noise_fill"

Each LABEL=PATTERN is a row: the folders of a pattern are seeds of one method, whose deviation stands behind the mean. All have to
be tested on the same pairs. A value is bold if it is the best of its column and beats the best control, the untouched input
included. A control that returns the input on every pair is left out and named.
"""

import argparse
import csv
import glob
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lightning_modules.metrics.registry import METRICS, VALIDATION_METRICS

Pairs = list[dict[str, str]]


@dataclass(frozen=True)
class Method:
    """A row to be: its name, whether it is learned, and the lines of per_example.csv of every seed."""

    name: str
    learned: bool
    seeds: list[Pairs]

    def does_nothing(self) -> bool:
        """Say whether the method returns the input on every pair."""
        return all(
            pair[metric] == pair[f"corrupted_{metric}"] for pairs in self.seeds for pair in pairs for metric in VALIDATION_METRICS
        )

    def values(self, metric: str, files: set[str]) -> list[float]:
        """Return the mean over the pairs of some files, of every seed."""
        return [fmean(float(pair[metric]) for pair in pairs if pair["file"] in files) for pairs in self.seeds]


def read(argument: str, manifest_hashes: set[str]) -> Method:
    name, _, pattern = argument.partition("=")
    folders = [Path(folder) for folder in sorted(glob.glob(pattern))]
    if not folders:
        raise SystemExit(f"{argument}: there is no such folder")
    results = [json.loads((folder / "result.json").read_text()) for folder in folders]
    manifest_hashes |= {result["manifest_hash"] for result in results}
    kinds = {list(result["methods"].values())[-1]["kind"] for result in results}
    pairs = [list(csv.DictReader((folder / "per_example.csv").open(newline=""))) for folder in folders]
    return Method(name, kinds == {"learned"}, pairs)


def untouched(method: Method) -> Method:
    """Return the input as a method."""
    pairs = [
        {"file": pair["file"]} | {metric: pair[f"corrupted_{metric}"] for metric in VALIDATION_METRICS}
        for pair in method.seeds[0]
    ]
    return Method("input", False, [pairs])


def table(methods: Sequence[Method], files: set[str]) -> Iterable[str]:
    """Yield the lines of a table over the pairs of some files."""
    yield "| method | " + " | ".join(VALIDATION_METRICS) + " |"
    yield "|---" * (len(VALIDATION_METRICS) + 1) + "|"
    bold = {metric: best_learned(methods, metric, files) for metric in VALIDATION_METRICS}
    for method in methods:
        cells = [cell(method.values(metric, files), bold[metric] == method.name) for metric in VALIDATION_METRICS]
        yield f"| {method.name} | " + " | ".join(cells) + " |"


def best_learned(methods: Sequence[Method], metric: str, files: set[str]) -> str | None:
    """Return the name of the best method of a column, or None if a control is as good."""
    sign = METRICS[metric].sign
    best = max(methods, key=lambda method: (sign * round(fmean(method.values(metric, files)), 2), not method.learned))
    return best.name if best.learned else None


def cell(values: Sequence[float], bold: bool) -> str:
    mean = f"{fmean(values):.2f}"
    deviation = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return (f"**{mean}**" if bold else mean) + deviation


def kinds_of(manifest: Path | None, files: set[str]) -> Mapping[str, set[str]]:
    """Return the files by the `kind` of a manifest; all of them together if there is none."""
    if manifest is None:
        return {"all": files}
    kinds = {row["file"]: row["kind"] for row in csv.DictReader(manifest.open(newline=""))}
    return {"all": files} | {kind: {file for file in files if kinds[file] == kind} for kind in sorted(set(kinds.values()))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Print tables of results.")
    parser.add_argument("methods", nargs="+", metavar="LABEL=PATTERN", help="controls first")
    parser.add_argument("--manifest", type=Path, metavar="CSV", help="whose column `kind` sets recordings apart")
    options = parser.parse_args()
    hashes: set[str] = set()
    methods = [read(argument, hashes) for argument in options.methods]
    if len(hashes) > 1:
        raise SystemExit(f"these were tested on different pairs: {', '.join(sorted(hashes))}")
    idle = [method.name for method in methods if method.does_nothing()]
    shown = [untouched(methods[0]), *(method for method in methods if method.name not in idle)]
    files = {pair["file"] for pair in methods[0].seeds[0]}
    for kind, chosen in kinds_of(options.manifest, files).items():
        count = sum(pair["file"] in chosen for pair in methods[0].seeds[0])
        if count:
            print(f"\n{kind}, {count} pairs, manifest {hashes.copy().pop()[:12]}\n")
            print("\n".join(table(shown, chosen)))
    if idle:
        print(f"\nleft out, as they return the input: {', '.join(idle)}")


if __name__ == "__main__":
    main()
