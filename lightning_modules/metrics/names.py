"""The names of all metrics and which way is better, for programs that read results and need no tensors."""

HIGHER_IS_BETTER: dict[str, bool] = {
    "snr_db": True,
    "si_sdr_db": True,
    "lsd": False,
    "lsd_lf": False,
    "lsd_hf": False,
    "lsd_kuleshov": False,
    "lsd_bilat": False,
    "lsd_mugan": False,
    "pesq_wb": True,
    "stoi": True,
}
