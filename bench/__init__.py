"""Benchmarks: each hot path as a ratio to its floor, measured in the same run. ``python -m bench`` runs them."""
