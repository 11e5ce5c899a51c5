"""See base.py for what every backend promises."""
