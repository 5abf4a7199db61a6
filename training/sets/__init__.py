"""What is learned from: rows of the data folder as examples, claims, texts and pairs of terms."""
