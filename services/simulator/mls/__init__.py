"""The personality of an MLS such as any board may run: own names, three classes of property, full metadata, DMQL2."""
