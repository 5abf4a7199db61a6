"""What we ask a model, and how its reply is read: render() and parse() side by side."""
