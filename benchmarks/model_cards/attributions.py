"""Print whose recordings a shipped model was trained and validated on, from the MANIFEST.csv of every folder.

    python -m benchmarks.model_cards.attributions NAME DIR

DIR is what AUDIO_DATA_ROOT named in the training of experiment NAME.
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import yaml

USED = ("train", "val")
PLACE = "${oc.env:AUDIO_DATA_ROOT,data}/"


def folders_of(node: object) -> Iterator[str]:
    """Yield the folders of the audio root that a configuration names, wherever they stand in it."""
    if isinstance(node, dict):
        for inner in node.values():
            yield from folders_of(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from folders_of(inner)
    elif isinstance(node, str) and node.startswith(PLACE):
        yield node.removeprefix(PLACE)


def rows_of(folder: Path, license_ids: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a folder's MANIFEST.csv that a training with these licenses uses."""
    with (folder / "MANIFEST.csv").open(newline="", encoding="utf-8") as file:
        yield from (row for row in csv.DictReader(file) if row["split"] in USED and row["license_id"] in license_ids)


def lines_of(name: str, audio: Path) -> list[str]:
    """Return a table: source, whom to name, license, number of recordings and minutes.

    Args:
        name: of the experiment.
        audio: root of the recordings.
    """
    config = yaml.safe_load((ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8"))
    seconds = defaultdict[tuple[str, ...], list[float]](list)
    for folder in dict.fromkeys(folders_of(config)):
        for row in rows_of(audio / folder, config["data"]["license_ids"]):
            seconds[folder, row["source_repo"], row["attribution"], row["licence"]].append(float(row["duration_s"]))
    lines = [f"| {' | '.join(key)} | {len(each)} | {sum(each) / 60:.1f} |" for key, each in sorted(seconds.items())]
    return ["| folder | source | attribution | license | recordings | minutes |", "|---|---|---|---|---|---|", *lines]


if __name__ == "__main__":
    print("\n".join(lines_of(sys.argv[1], Path(sys.argv[2]))))
