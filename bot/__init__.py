"""Where people meet the service."""
