"""What the suite holds against: damaged files, values and moments, by the hundred, from a seed."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # a process that has used more threads than one leaves locks that its forks wait for
