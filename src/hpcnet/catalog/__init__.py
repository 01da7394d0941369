"""Reads site descriptors and the user's configuration: facts from files into values."""
