"""What a server says of its data: resources, classes, fields, lookups, objects (RETS 1.7.2 §11; RETS 1.5, 1.8)."""
