"""The local chat page and the JSON API."""
