"""Everything between a disk and a batch: sources, windows, corruptions and the data module."""
