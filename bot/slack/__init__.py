"""Slack: listener, render, sender."""
