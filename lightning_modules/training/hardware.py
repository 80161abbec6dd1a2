"""What the machine is good at."""

import torch


def pick_precision(accelerator: str) -> str:
    """Return the Lightning precision to train in: bf16 autocast where the hardware multiplies bf16, else float32.

    CUDA GPUs do from compute capability 8 on; CPUs with AVX512-BF16 or AMX. On MPS it is float32, what has been tested for it.

    Args:
        accelerator: a Lightning accelerator name: auto, cpu, gpu, cuda, ...
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.get_device_capability()[0] >= 8 else "32-true"
    if accelerator in ("auto", "gpu", "mps") and torch.backends.mps.is_available():
        return "32-true"
    capabilities = torch.cpu.get_capabilities()
    return "bf16-mixed" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "32-true"
