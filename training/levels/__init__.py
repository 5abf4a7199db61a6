"""How hard an article is, in English and Korean, and which labels are wrong."""
