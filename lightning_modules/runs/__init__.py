"""What a run leaves on disk and shows: its folder, checkpoints, results, tables, pictures, and what trackers are told."""
