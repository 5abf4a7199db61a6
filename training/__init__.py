"""How the models are made: one step, one file."""
