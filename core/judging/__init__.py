"""What we make of a text and of answers: difficulty, support, terms, keywords."""
