"""Denoisers of other people with the weights that their packages ship, as methods beside ours.

A package for `plugins=[peers]`, with this folder's parent on PYTHONPATH, in an environment of its own: see requirements.txt.
"""
