"""Any RETS server as a Source, driven by its metadata."""
