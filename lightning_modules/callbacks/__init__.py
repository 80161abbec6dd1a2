"""What watches a training: seeds by epoch, evidence of failures, signals, lines on the screen, the checkpoints that are kept."""
