"""The tables of the cards of the models that are shipped."""
