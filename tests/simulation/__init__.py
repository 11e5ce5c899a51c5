"""The four services simulated: their own code on the real store, stepped one effect at a time by a seeded scheduler.

``python -m tests.simulation --help`` says how to run many histories, and one again.
"""
