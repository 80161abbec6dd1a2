"""Restoration methods without trained parameters: the rows a learned method has to beat."""
