"""Searching what was read, and answering from it."""
