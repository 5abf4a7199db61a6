"""Slack: listener, render, sender, and what they need."""
