"""How audio files are laid out, byte by byte: what libsndfile does not tell, keep or believe."""
