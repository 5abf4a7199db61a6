"""The web: fetching pages safely and finding the article in them."""
