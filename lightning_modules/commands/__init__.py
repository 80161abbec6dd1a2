"""What the scripts do, once they have read the command line: the one room that may import every other."""
