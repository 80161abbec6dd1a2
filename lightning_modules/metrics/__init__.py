"""What a restoration is worth, and what it costs."""
