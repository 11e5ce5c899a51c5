"""An MLS in a box: an honest RETS server with seeded data, its own clock and switchable faults.

It imports nothing of mlsync, so that what it says of itself (``Control.truth``) is independent of what is tested.
"""
