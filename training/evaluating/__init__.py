"""Predictions measured: rows in, figures and a report out. `training/evaluate.py` is the step."""
