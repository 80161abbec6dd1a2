"""What corruptions that run other people's code are made of: randomness from outside, functions by name, checks of results."""
