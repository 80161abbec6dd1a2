"""Networks as graphs of real tensors, without transforms and complex numbers that other runtimes lack."""
