"""Benchmarks: each hot path against its floor, in the same run."""
