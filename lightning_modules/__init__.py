"""Training recipes, losses, metrics and checkpoints: everything that knows PyTorch Lightning."""
