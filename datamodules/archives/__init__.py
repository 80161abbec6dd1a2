"""Unpack the archives of data sets, and write down what was in them."""
