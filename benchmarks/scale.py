"""What hours of audio cost: making the cache, starting, reading windows, memory.

    python benchmarks/scale.py DIR [--hours 2 20] [--catalog-hours 200] [--clips 7200] [--steps 30]

DIR takes generated recordings, ten minutes each at 16 kHz, and their caches: 0.3 GB an hour. Every figure is of a process of its
own. Seconds are those of the processors, which other work on the machine changes little; "wall" is the clock. Memory of windows
is what the process holds after them and not before, as Linux tells it. A step is one of `unet_small` with two workers; cache and
stream take turns, block by block, and only the workers of one of them are alive. The catalog alone is of short files: as many as
there are recordings of ten minutes in so many hours, and clips, of which a set of ten seconds each has 360 an hour.
"""

import argparse
import contextlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from hydra import compose, initialize_config_module

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conf.compose import instantiate, plain
from machine.system import load_average, peak_memory_mib

RATE_HZ, MINUTES, WINDOWS = 16_000, 10, 2000
WAYS = ("true", "stream")
BLOCKS, WORKERS = 3, 2
WARM_STEPS = 2 * WORKERS + 1
"""More than there are batches that workers have made before they are asked for."""
CLIPS_AN_HOUR = 360
Facts = dict[str, float]


def main(folder: Path, hours: list[float], catalog_hours: int, clips: int, steps: int) -> None:
    """Print one line for each figure."""
    print(f"load average {load_average():.1f}\n\n| what | figure | |\n|---|---|---|")
    for count in hours:
        place = folder / f"{count:g}h"
        make_recordings(place / "audio", round(count * 60 / MINUTES))
        report_hours(place, count, steps)
    files = catalog_hours * 60 // MINUTES
    report_catalog(folder / "catalog", f"{catalog_hours} h of recordings of {MINUTES} min", files, files)
    report_catalog(folder / "clips", f"{catalog_hours} h of clips of 10 s", clips, catalog_hours * CLIPS_AN_HOUR)


def report_hours(place: Path, hours: float, steps: int) -> None:
    """Measure audio of so many hours: without a cache, with one, and by stream."""
    shutil.rmtree(place / "cache", ignore_errors=True)
    cold = measured("start", place, "true", 0)
    ways = {way: measured("start", place, way, WINDOWS) for way in WAYS}
    speed = 3600 * hours / (cold["seconds"] - ways["true"]["seconds"])
    line(f"{hours:g} h: making the cache", f"{speed:.0f} times real time a core", "measured")
    for name, facts in {"cold": cold, "warm": ways["true"], "stream": ways["stream"]}.items():
        line(f"{hours:g} h: start, {name}", f"{facts['seconds']:.2f} s (wall {facts['wall']:.2f} s)", "measured")
        line(f"{hours:g} h: memory of the start, {name}", f"{facts['peak_mib'] - facts['idle_mib']:.0f} MiB", "measured")
    for way, facts in ways.items():
        line(f"{hours:g} h: windows of one core, cache={way}", f"{WINDOWS / facts['read']:.0f} a second", "measured")
        line(
            f"{hours:g} h: memory of {WINDOWS} windows, cache={way}",
            f"{facts['after_mib'] - facts['before_mib']:.1f} MiB",
            "measured",
        )
    if steps:
        facts = measured("steps", place, steps)
        line(f"{hours:g} h: step, cache", f"{facts['true']:.3f} s wall", "measured")
        line(f"{hours:g} h: step, stream", f"{facts['stream']:.3f} s wall, {facts['ratio']:.3f} of the cache", "measured")


def report_catalog(folder: Path, name: str, files: int, wanted: int) -> None:
    """Measure listing and finding of short files, and tell what as many as are wanted would cost."""
    if files == 0:
        return
    make_clips(folder / "audio", files)
    measured("start", folder, "true", 0)
    facts = measured("start", folder, "true", 0)
    factor, how = wanted / files, "measured" if wanted == files else f"extrapolated from {files} files"
    line(f"{name}: start, warm", f"{factor * facts['seconds']:.1f} s (wall {factor * facts['wall']:.1f} s)", how)
    line(f"{name}: memory of the start", f"{factor * (facts['peak_mib'] - facts['idle_mib']):.0f} MiB", how)


def line(what: str, figure: str, how: str) -> None:
    """Print a row of the table."""
    print(f"| {what} | {figure} | {how} |", flush=True)


def measured(name: str, *arguments: Any) -> Facts:
    """Take a measurement in a process of its own."""
    command = [sys.executable, __file__, "--one", name, *map(str, arguments)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(said.splitlines()[-1])  # type: ignore[no-any-return]


def make_recordings(folder: Path, count: int) -> None:
    """Write recordings of tones that come and go above a noise floor, those that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:05d}.flac"
        if not path.exists():
            minutes = [minute_of_music(np.random.default_rng([number, minute])) for minute in range(MINUTES)]
            write_whole(path, np.concatenate(minutes))


def minute_of_music(draw: np.random.Generator) -> np.ndarray:
    """Return a minute, (T,) float32."""
    time_s = np.arange(60 * RATE_HZ, dtype=np.float32) / RATE_HZ
    audio = 0.002 * draw.standard_normal(time_s.size, np.float32)
    for share, length in draw.uniform(0.3, 1, (4, 2)).tolist():
        audio += 0.1 * np.sin(np.float32(4000 * np.pi * share) * time_s) * np.exp(-(time_s % np.float32(3 * length)))
    return audio


def make_clips(folder: Path, count: int) -> None:
    """Write noise of 0.1 to 1.1 seconds in many files: about a third share their length with another."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:06d}.flac"
        if not path.exists():
            draw = np.random.default_rng(number)
            write_whole(path, 0.1 * draw.standard_normal(draw.integers(RATE_HZ // 10, RATE_HZ * 11 // 10)))


def write_whole(path: Path, audio: np.ndarray) -> None:
    """Write a file under its name once it is complete."""
    partial = path.with_suffix(".partial")
    soundfile.write(partial, audio, RATE_HZ, format="FLAC", subtype="PCM_16")
    partial.rename(path)


def start(folder: str, cache: str, count: str) -> Facts:
    """Set up the data, take the first batch, and then read so many windows, as a worker does."""
    data = data_of(folder, cache)
    facts = {"idle_mib": peak_memory_mib()}
    wall, seconds = time.perf_counter(), time.process_time()
    data.setup("fit")
    loader = data.train_dataloader()
    next(iter(loader))
    facts |= {"seconds": time.process_time() - seconds, "wall": time.perf_counter() - wall, "peak_mib": peak_memory_mib()}
    facts["before_mib"], seconds = held_memory_mib(), time.process_time()
    for number in range(int(count)):
        loader.dataset[number]
    return {**facts, "read": time.process_time() - seconds, "after_mib": held_memory_mib()}


def held_memory_mib() -> float:
    """Return the memory that this process holds now; the most that it ever held would hide what is taken after freeing more."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def steps(folder: str, count: str) -> Facts:
    """Train with two workers for each way to read, a block of steps of one way and then of the other."""
    step, blocks = make_step(), min(BLOCKS, int(count))
    taken: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for block in range(blocks):
        for way in WAYS if block % 2 == 0 else WAYS[::-1]:
            data = data_of(folder, way, f"data.num_workers={WORKERS}")
            taken[way].append(seconds_of_steps(data, step, -(-int(count) // blocks)))
    medians = {way: statistics.median(itertools.chain(*times)) for way, times in taken.items()}
    pairs = zip(taken["true"], taken["stream"], strict=True)
    ratios = [statistics.median(stream) / statistics.median(cache) for cache, stream in pairs]
    return {**medians, "ratio": statistics.median(ratios)}


def seconds_of_steps(data: Any, step: Callable[[dict[str, Any]], None], count: int) -> list[float]:
    """Take so many steps, after those of batches that waited; the workers end with them."""
    taken = []
    with contextlib.closing(batches_of(data)) as batches:
        for _ in range(WARM_STEPS + count):
            started = time.perf_counter()
            step(next(batches))
            taken.append(time.perf_counter() - started)
    return taken[WARM_STEPS:]


def data_of(folder: str, cache: str, *overrides: str) -> Any:
    """Return the data module of a training."""
    place = [f"data.root={folder}/audio", f"data.cache_dir={folder}/cache", f"data.sample_rate={RATE_HZ}", f"data.cache={cache}"]
    short = ["data.window_samples=1024", "data.eval_seconds=0.1"] if folder.endswith(("catalog", "clips")) else []
    return instantiate(config(["data=folder", *place, *short, *overrides]).data)


def config(overrides: list[str]) -> Any:
    """Compose the configuration of a training."""
    with initialize_config_module("conf"):
        return compose("train", overrides=["model=unet_small", "run_name=benchmark", "run_dir=benchmark", *overrides])


def batches_of(data: Any) -> Generator[dict[str, Any], None, None]:
    """Yield corrupted batches for ever."""
    data.setup("fit")
    while True:
        for batch in data.train_dataloader():
            yield data.on_after_batch_transfer(data.on_before_batch_transfer(batch, 0), 0)


def make_step() -> Callable[[dict[str, Any]], None]:
    """Return forward, loss, backward and update of a fresh network."""
    from lightning_modules.losses.reconstruction import weighted_sum
    from lightning_modules.runs.checkpoint import build_restorer

    module = build_restorer(plain(config([]).model)).train()
    optimizer = module.optimizer(module.net.parameters())

    def step(batch: dict[str, Any]) -> None:
        restored = module.restore(batch["corrupted"])
        optimizer.zero_grad()
        weighted_sum(module.loss.terms(restored, batch["clean"]), module.loss.weights).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])))
        raise SystemExit
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of the recordings and caches")
    parser.add_argument("--hours", type=float, nargs="+", default=[2.0], help="of audio; 20 takes 6 GB")
    parser.add_argument("--catalog-hours", type=int, default=200)
    parser.add_argument("--clips", type=int, default=7200, help="files that stand for the clips of so many hours; 0 for none")
    parser.add_argument("--steps", type=int, default=30, help="training steps of each way; 0 takes none")
    options = parser.parse_args()
    main(options.folder, options.hours, options.catalog_hours, options.clips, options.steps)
