"""The models: text in, text out. Heavy libraries are imported inside functions."""
