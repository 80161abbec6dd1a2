"""Restore a sound file with an exported method: python restore_onnx.py model.onnx noisy.wav restored.wav."""

import sys

import numpy as np
import onnxruntime
import soundfile

model, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
about = session.get_modelmeta().custom_metadata_map
chunk, overlap, margin, grid = (int(about[f"{name}_samples"]) for name in ("chunk", "overlap", "margin", "grid"))
audio, rate = soundfile.read(source, dtype="float32", always_2d=True)
if rate != int(about["sample_rate_hz"]):
    sys.exit(f"{source} has {rate} Hz, and this method works at {about['sample_rate_hz']} Hz")
audio, total, hop = np.ascontiguousarray(audio.T), len(audio), chunk - overlap
starts = [*range(0, total - chunk - grid + 1, hop)]  # of chunks; the last one ends with the sound
starts.append(starts[-1] + (total - starts[-1] - chunk) // grid * grid if starts else 0)
fade = np.sin((np.arange(overlap - 2 * margin) + 0.5) * np.pi / 2 / max(1, overlap - 2 * margin)) ** 2
restored = np.zeros_like(audio)
for at, start in enumerate(starts):
    stop = start + chunk if at + 1 < len(starts) else total
    (result,) = session.run(None, {"audio": audio[:, start:stop]})
    first, faded = (starts[at - 1] + hop + margin, len(fade)) if at else (0, 0)
    joined = result[:, first - start :]
    joined[:, :faded] = restored[:, first : first + faded] * (1 - fade[:faded]) + joined[:, :faded] * fade[:faded]
    restored[:, first:stop] = joined
soundfile.write(target, restored.T, rate, subtype=soundfile.info(source).subtype)
