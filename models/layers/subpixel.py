"""Changes of the sampling rate that lose nothing: samples move between time and channels.

Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel convolutional neural network"
(arXiv 1609.05158); in one dimension Kuleshov, Enam and Ermon (arXiv 1708.00853), and Kim and Sathe (arXiv 1903.09027), who
call the inverse a superpixel.
"""

from torch import Tensor


def pixel_shuffle(features: Tensor) -> Tensor:
    """Interleave pairs of channels in time: output channel c takes its even samples from 2c and its odd ones from 2c + 1.

    Args:
        features: (B, 2C, T).

    Returns:
        (B, C, 2T).
    """
    batch, channels, time = features.shape
    return features.view(batch, channels // 2, 2, time).transpose(2, 3).reshape(batch, channels // 2, 2 * time)


def superpixel(features: Tensor) -> Tensor:
    """Move odd samples into channels of their own: the inverse of pixel_shuffle, which is the paper's subpixel.

    >>> import torch
    >>> superpixel(torch.tensor([[[1, 2, 3, 4]]]))
    tensor([[[1, 3],
             [2, 4]]])

    Args:
        features: (B, C, T), T even.

    Returns:
        (B, 2C, T / 2): channel 2c holds the even samples of channel c, 2c + 1 its odd ones.
    """
    batch, channels, time = features.shape
    return features.reshape(batch, channels, time // 2, 2).transpose(2, 3).reshape(batch, 2 * channels, time // 2)
