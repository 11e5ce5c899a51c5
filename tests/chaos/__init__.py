"""Everything goes wrong at random while an MLS is synced for the first time; then nothing does, and all must be equal.

``python -m tests.chaos --seed N`` replays what a test did with that seed.
"""
