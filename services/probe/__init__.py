"""``mlsync probe``: what a server can do, tried with few requests, and the settings that follow from it."""
