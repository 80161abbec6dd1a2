"""Runs side by side: read their folders, compare honestly, and write a page to look at and listen to."""
