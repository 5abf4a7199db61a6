"""Finding again what was read: words and meaning, fused.

document  what the index keeps of an article          tokens    words as the index knows them
index     all of it in memory, in segments            rewriting one question, several wordings
searching candidates, then their passages             bridge    Korean words for English ones
fuse      scores of different kinds on one scale      ranking   the same, for evaluation
"""
