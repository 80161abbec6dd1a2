"""What a training minimizes: reconstruction losses, adversarial ones, and the targets of progressive training."""
