"""Defects: wrong firmware, wrong VMMs and missing safeguards, one deviation from what is right each.

A file is a place where one goes wrong; `catalogue.py` says of each what it breaks and what to look for.
"""
