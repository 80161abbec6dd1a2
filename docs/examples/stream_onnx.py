"""Restore sound block by block, as it comes in, with a causal method: python stream_onnx.py model.onnx noisy.wav restored.wav."""

import sys

import numpy as np
import onnxruntime
import soundfile

model, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(model)
about = session.get_modelmeta().custom_metadata_map
block, delay, values = (int(about[name]) for name in ("block_samples", "delay_samples", "state_values"))
audio, rate = soundfile.read(source, dtype="float32", always_2d=True)
if rate != int(about["sample_rate_hz"]):
    sys.exit(f"{source} has {rate} Hz, and this method works at {about['sample_rate_hz']} Hz")
count = -(-(len(audio) + delay) // block)
coming = np.pad(audio.T, ((0, 0), (0, count * block - len(audio)))).reshape(audio.shape[1], count, block)
state, restored = np.zeros((audio.shape[1], values), np.float32), []
for number in range(count):
    result, state = session.run(None, {"audio": np.ascontiguousarray(coming[:, number]), "state": state})
    restored.append(result)
late = np.concatenate(restored, axis=1)[:, delay : delay + len(audio)]
soundfile.write(target, late.T, rate, subtype=soundfile.info(source).subtype)
