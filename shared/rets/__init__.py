"""The RETS protocol: session, authentication, mended XML, reply codes, objects."""
