"""Strangers' RETS clients against the simulator: they must get what ours gets, byte for byte."""
