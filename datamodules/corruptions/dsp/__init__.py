"""Signal processing that corruptions share: transforms, filters, decimation, simulated rooms."""
