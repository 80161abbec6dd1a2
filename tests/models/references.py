"""The convolutional networks once more in NumPy, from their papers, by the names of their weights.

Kuleshov, Enam and Ermon (arXiv 1708.00853) for the U-Net; Billotais/Denoising-with-Generative-Models for the discriminator and
the autoencoder beside it; Kim and Sathe (arXiv 1903.09027) for MU-GAN, with the slope of leichtrhino/audio-super-resolution.
"""

from collections.abc import Callable, Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]
Dropout = Callable[[np.ndarray], np.ndarray]

LEAK = 0.2
EPSILON = 1e-5


class Parts:
    """What networks are made of, read from named weights.

    Args:
        weights: by name.
        training: whether batch normalization takes its statistics from the batch.
        norm: none, batch, layer or group.
    """

    def __init__(self, weights: Weights, training: bool = False, norm: str = "none") -> None:
        self.weights, self.training, self.norm = weights, training, norm

    def convolve(self, name: str, x: np.ndarray, stride: int = 1, padded: bool = True) -> np.ndarray:
        """Correlate (B, C, T) with centered taps (C', C, K), with zeros around."""
        weight, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        half = weight.shape[-1] // 2 if padded else 0
        around = np.pad(x, ((0, 0), (0, 0), (half, half)))
        places = range(0, around.shape[-1] - weight.shape[-1] + 1, stride)
        windows = np.stack([around[..., place : place + weight.shape[-1]] for place in places], axis=2)  # (B, C, T', K)
        y = np.einsum("bctk,ock->bot", windows, weight)
        return y if bias is None else y + bias[:, None]

    def multiscale(self, name: str, x: np.ndarray) -> np.ndarray:
        """Put the convolutions of several sizes beside each other."""
        if f"{name}.reduce.weight" in self.weights:
            x = self.convolve(f"{name}.reduce", x)
        branches = sum(key.startswith(f"{name}.branches.") and key.endswith(".weight") for key in self.weights)
        return np.concatenate([self.convolve(f"{name}.branches.{branch}", x) for branch in range(branches)], axis=1)

    def normalize(self, name: str, x: np.ndarray) -> np.ndarray:
        """Bring to mean 0 and variance 1 over a batch, an example or groups of at most 8, then scale and shift by channel."""
        if self.norm == "batch" and not self.training:
            mean, variance = (self.weights[f"{name}.running_{kind}"][:, None] for kind in ("mean", "var"))
            y = (x - mean) / np.sqrt(variance + EPSILON)
        elif self.norm == "batch":
            y = (x - x.mean((0, 2), keepdims=True)) / np.sqrt(x.var((0, 2), keepdims=True) + EPSILON)
        else:
            groups = 1 if self.norm == "layer" else np.gcd(x.shape[1], 8)
            grouped = x.reshape(len(x), groups, -1)
            y = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + EPSILON)
            y = y.reshape(x.shape)
        return y * self.weights[f"{name}.weight"][:, None] + self.weights[f"{name}.bias"][:, None]

    def normalized(self, name: str, x: np.ndarray, apply: Callable[..., np.ndarray], **settings: int) -> np.ndarray:
        """Apply a convolution and its normalization, if it has one."""
        if self.norm == "none":
            return apply(name, x, **settings)
        return self.normalize(f"{name}.1", apply(f"{name}.0", x, **settings))


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, LEAK * x)


def relu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0)


def subpixel(x: np.ndarray) -> np.ndarray:
    """Let channels 2c and 2c + 1 be the even and the odd samples of channel c."""
    y = np.empty((len(x), x.shape[1] // 2, 2 * x.shape[2]))
    y[..., ::2], y[..., 1::2] = x[:, ::2], x[:, 1::2]
    return y


def superpixel(x: np.ndarray) -> np.ndarray:
    """Undo `subpixel`."""
    y = np.empty((len(x), 2 * x.shape[1], x.shape[2] // 2))
    y[:, ::2], y[:, 1::2] = x[..., ::2], x[..., 1::2]
    return y


def folded(x: np.ndarray, multiple: int) -> np.ndarray:
    """Let every channel of (B, C, T) be an example, with zeros up to a multiple."""
    mono = x.reshape(-1, 1, x.shape[-1])
    return np.pad(mono, ((0, 0), (0, 0), (0, -x.shape[-1] % multiple)))


def unfolded(mono: np.ndarray, x: np.ndarray) -> np.ndarray:
    return mono[..., : x.shape[-1]].reshape(x.shape)


def unet(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    features, skips = folded(x, 2 ** (depth + 1)), []
    for block in range(depth):
        features = leaky(parts.convolve(f"down.{block}.conv", features, stride=2))
        skips.append(features)
    features = leaky(drop(parts.convolve("bottleneck", features, stride=2)))
    for block in range(depth):
        up = subpixel(relu(drop(parts.convolve(f"up.{block}.conv", features))))
        features = np.concatenate([up, skips.pop()], axis=1)
    return x + unfolded(subpixel(parts.convolve("last", features)), x)


def unet_autoencoder(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    features = folded(x, 2 ** (depth + 1))
    for block in range(depth):
        features = leaky(parts.normalized(f"down.{block}.conv", features, parts.convolve, stride=2))
    features = leaky(drop(parts.convolve("bottleneck", features, stride=2)))
    for block in range(depth):
        features = subpixel(relu(drop(parts.convolve(f"up.{block}.conv", features))))
    return unfolded(subpixel(parts.convolve("last", features)), x)


def unet_discriminator(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    """Judge what is read, (B, C, T)."""
    for block in range(depth):
        x = leaky(parts.normalized(f"blocks.{block}.conv", x, parts.convolve, stride=2))
    return parts.convolve("verdict", drop(x), padded=False)


def mugan_generator(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    features, skips = folded(x, 2**depth), []
    for block in range(depth):
        features = superpixel(leaky(parts.multiscale(f"down.{block}.convolution", features)))
        skips.append(features)
    skips.pop()
    for block in range(depth):
        features = subpixel(leaky(drop(parts.multiscale(f"up.{block}.convolution", features))))
        features = np.concatenate([features, skips.pop()], axis=1) if skips else features
    return x + unfolded(parts.convolve("last", features), x)


def mugan_autoencoder(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    features = folded(x, 2**depth)
    for block in range(depth):
        features = superpixel(leaky(parts.normalized(f"down.{block}.convolution", features, parts.multiscale)))
    for block in range(depth):
        features = subpixel(leaky(drop(parts.normalized(f"up.{block}.convolution", features, parts.multiscale))))
    return unfolded(parts.convolve("last", features), x)


def mugan_discriminator(parts: Parts, x: np.ndarray, depth: int, drop: Dropout) -> np.ndarray:
    """Judge what is read, (B, C, T)."""
    features = leaky(parts.multiscale("first", x))
    for block in range(depth):
        features = parts.normalized(f"blocks.{block}.convolution", features, parts.multiscale)
        features = superpixel(leaky(drop(features)))
    return parts.convolve("verdict", leaky(drop(parts.convolve("hidden", features))))
