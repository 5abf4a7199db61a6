"""What is begun survives the process that began it: the way of a link, and what comes by itself.

`workflows.py` is the engine (DBOS) and what others begin; `steps.py` its checkpoints; `links.py`
and `mornings.py` say what happens, in their order.
"""
