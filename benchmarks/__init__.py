"""How fast the kit is: `python -m benchmarks` measures everything and prints one table, each figure beside its peer.

One file measures one thing and gives `Figure`s; `measure.py` says how a figure is taken.  Nothing here is imported
by the kit.
"""
