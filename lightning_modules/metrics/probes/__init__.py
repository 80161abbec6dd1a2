"""Probes: what a method does to signals made for the question, and how all of its restorations look together."""
