"""Where tests of one GPU run: on the GPU, and the same bodies on the CPU, which shows that they would pass there."""

import pytest
import torch

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
PLACES = [
    pytest.param("cpu", marks=pytest.mark.slow),
    pytest.param("cuda", marks=[pytest.mark.gpu, NEEDS_GPU]),
]
"""A device of torch and its marks; the accelerator of the same name is `ACCELERATORS[place]`."""
ACCELERATORS = {"cpu": "cpu", "cuda": "gpu"}
