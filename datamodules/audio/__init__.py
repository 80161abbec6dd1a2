"""The only place that opens or writes an audio file."""
