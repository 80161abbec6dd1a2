"""Every key of the configuration, each declared once: kind, range or allowed values, unit, and what it means."""
