"""The tables of the modular GAN's own tasks, piano at 10 kHz, beside all controls, and a verdict on each."""
