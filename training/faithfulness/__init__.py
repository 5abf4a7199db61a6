"""What is said of an article and whether it follows: claims, pairs, the guardrail."""
