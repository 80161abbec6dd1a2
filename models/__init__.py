"""Networks and classical methods: plain signal code that knows neither Lightning nor Hydra."""
