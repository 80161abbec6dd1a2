"""Print the tables of docs/results.md from run and evaluation folders: methods beside all controls, kinds of recordings apart.

    python benchmarks/results_tables.py --manifest DIR/MANIFEST.csv "unet_small=runs/sr_*" "noise_fill=evaluations/noise_fill"

Each LABEL=PATTERN is a row: the folders of a pattern are seeds of one method, whose deviation stands behind the mean. All have to
be tested on the same pairs. What is a control, what is bold and what is left out is the rule of every table
(lightning_modules.runs.controls): bold is the best of a column if it beats every control, • the best control, ▼ worse than the
input.
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

from lightning_modules.metrics.registry import METRICS, computed_in
from lightning_modules.runs.controls import beats_controls, best_control, changed_share, choose_rows, is_better, left_out_line

Pairs = list[dict[str, str]]


@dataclass(frozen=True)
class Row:
    """A method on the pairs of some files: its means over them, of every seed, and over the seeds."""

    label: str
    kind: str
    seeds: dict[str, list[float]]
    changed_share: float = 1.0

    @property
    def means(self) -> dict[str, float]:
        """Over pairs and seeds, by metric."""
        return {metric: fmean(values) for metric, values in self.seeds.items()}


@dataclass(frozen=True)
class Method:
    """A row to be: its label and kind, and the lines of per_example.csv of every seed."""

    label: str
    kind: str
    runs: list[Pairs]

    def on(self, files: set[str]) -> Row:
        """Return the row of the pairs of some files."""
        seeds = {metric: [mean_of(pairs, metric, files) for pairs in self.runs] for metric in computed_in("validation")}
        return Row(self.label, self.kind, seeds, changed_share([numbers(pair) for pairs in self.runs for pair in pairs]))


def mean_of(pairs: Pairs, column: str, files: set[str]) -> float:
    return fmean(float(pair[column]) for pair in pairs if pair["file"] in files)


def numbers(pair: Mapping[str, str]) -> dict[str, float]:
    """Return the metrics of a pair, of the restored and the corrupted signal."""
    return {name: float(value or "nan") for name, value in pair.items() if name.removeprefix("corrupted_") in METRICS}


def read(argument: str, manifest_hashes: set[str]) -> Method:
    label, _, pattern = argument.partition("=")
    folders = [Path(folder) for folder in sorted(glob.glob(pattern))]
    if not folders:
        raise SystemExit(f"{argument}: there is no such folder")
    results = [json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in folders]
    manifest_hashes |= {result["manifest_hash"] for result in results}
    kind = list(results[0]["methods"].values())[-1]["kind"]
    return Method(
        label, kind, [list(csv.DictReader((folder / "per_example.csv").open(newline="", encoding="utf-8"))) for folder in folders]
    )


def untouched(pairs: Pairs, files: set[str]) -> Row:
    """Return the row of the input."""
    return Row("input", "corrupted", {name: [mean_of(pairs, f"corrupted_{name}", files)] for name in computed_in("validation")})


def cell(row: Row, rows: Sequence[Row], metric: str) -> str:
    """Write a value: bold or marked as the rule of every table has it."""
    values, mean = row.seeds[metric], row.means[metric]
    best = not any(is_better(metric, other.means[metric], mean) for other in rows if other.kind != "oracle")
    bold = best and row.kind == "learned" and beats_controls(row, rows, metric)
    text = f"**{mean:.2f}**" if bold else f"{mean:.2f}"
    deviation = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    below = " ▼" if is_better(metric, rows[0].means[metric], mean) else ""
    return text + deviation + (" •" if row is best_control(rows, metric) else below)


def table(by_kind: Mapping[str, Sequence[Row]], labels: Sequence[str], metrics: Sequence[str]) -> Iterable[str]:
    """Yield the lines of a table with the columns of every kind side by side."""
    headings = [f"{kind}: {name}" if name == metrics[0] else name for kind in by_kind for name in metrics]
    yield f"| method | {' | '.join(headings)} |"
    yield "|---" * (len(headings) + 1) + "|"
    for label in labels:
        shown = [(next(row for row in rows if row.label == label), rows) for rows in by_kind.values()]
        yield f"| {label} | {' | '.join(cell(row, rows, name) for row, rows in shown for name in metrics)} |"


def kinds_of(manifest: Path | None, files: set[str]) -> Mapping[str, set[str]]:
    """Return the files by the `kind` of a manifest; all of them together first."""
    if manifest is None:
        return {"all": files}
    kinds = {row["file"]: row["kind"] for row in csv.DictReader(manifest.open(newline="", encoding="utf-8"))}
    found = {kinds[file] for file in files}
    return {"all": files} | {kind: {file for file in files if kinds[file] == kind} for kind in sorted(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description="Print tables of results.")
    parser.add_argument("methods", nargs="+", metavar="LABEL=PATTERN", help="controls first")
    parser.add_argument("--manifest", type=Path, metavar="CSV", help="whose column `kind` sets recordings apart")
    parser.add_argument("--metrics", nargs="+", default=["snr_db", "si_sdr_db", "lsd"], choices=computed_in("validation"))
    options = parser.parse_args()
    hashes: set[str] = set()
    methods = [read(argument, hashes) for argument in options.methods]
    if len(hashes) > 1:
        raise SystemExit(f"these were tested on different pairs: {', '.join(sorted(hashes))}")
    pairs = methods[0].runs[0]
    kinds = kinds_of(options.manifest, {pair["file"] for pair in pairs})
    by_kind = {kind: [untouched(pairs, files), *(method.on(files) for method in methods)] for kind, files in kinds.items()}
    wanted = {row.label for rows in by_kind.values() for row in choose_rows(rows)[0]}
    shown, left_out = choose_rows(by_kind["all"], named=wanted)
    print("\n".join(table(by_kind, [row.label for row in shown], options.metrics)))
    counts = ", ".join(f"{sum(pair['file'] in files for pair in pairs)} {kind}" for kind, files in kinds.items())
    print(f"\npairs: {counts}; manifest {hashes.pop()[:12]}\n{left_out_line(left_out)}")


if __name__ == "__main__":
    main()
