"""`python -m bot` is the command `smartdevdigest`."""

from bot.cli import main

main()
