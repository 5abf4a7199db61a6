"""What the product knows. Imports nobody: adapters come to it, never the other way round."""
