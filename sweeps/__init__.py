"""Many runs as one: jobs in processes of their own, named sweeps, and the report that puts runs side by side."""
