"""What depends on the machine: processes, signals, locks and consoles of POSIX systems and of Windows."""
