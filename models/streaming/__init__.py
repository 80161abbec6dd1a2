"""Any method on files of any length: chunks, overlap and add, resampling, filters."""
