"""Which sentences say what an article is about, and which one line."""
