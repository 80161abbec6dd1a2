"""How synthetic music is written and played."""
