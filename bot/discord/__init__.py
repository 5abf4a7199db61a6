"""Discord: listener, render, sender."""
