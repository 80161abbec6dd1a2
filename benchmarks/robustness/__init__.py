"""What the suite holds against: damaged files, values and moments, by the hundred, from a seed."""
