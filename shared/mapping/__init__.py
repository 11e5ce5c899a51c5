"""Source records → typed rows. The mapping itself is data, in ``ddf.yaml``; ``mapping.load`` compiles it."""
