"""How recipes train: optimizers, schedules, warm-up, shaping, what an adversarial training looks like from outside."""
