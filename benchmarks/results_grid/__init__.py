"""The grid of docs/results.md: every task in its conditions, methods beside controls, seeds of small learned methods."""
