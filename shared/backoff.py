"""When to ask again for what was asked for in vain."""

HOUR = 3_600_000_000
DAY = 24 * HOUR
FREE_ATTEMPTS = 3


def next_attempt_at(attempts: int, now: int) -> int | None:
    """The end of the back-off in microseconds; None: at the next inventory.

    The first three attempts (one an inventory) are free, then intervals double from an hour up to a day.
    """
    if attempts < FREE_ATTEMPTS:
        return None
    return now + min(DAY, HOUR << min(attempts - FREE_ATTEMPTS, 10))
