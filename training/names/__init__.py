"""Keywords, terms and their explanations."""
