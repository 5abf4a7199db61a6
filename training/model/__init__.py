"""The language model: read on, tuned, merged, quantised, exported; many ways side by side."""
