"""Sweeps over configurations, and the report that puts their runs side by side."""
