"""``python -m services.simulator``: the simulator without the rest of mlsync."""

from __future__ import annotations

import argparse
import sys

from .faults import FaultError
from .main import Options, describe, serve
from .options import LOCATION_STYLES, PERSONALITIES, OptionsError


def main(argv: list[str] | None = None) -> int:
    """Parse, then serve. Returns the exit status; 2 for options that make no sense."""
    parser = argparse.ArgumentParser(prog="simulator", description="An MLS in a box: a RETS server with seeded data.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--personality", choices=PERSONALITIES, default="ddf")
    parser.add_argument("--listings", type=int, default=500)
    parser.add_argument("--photos", type=int, default=5, help="mean number per listing")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--username", default="demo")
    parser.add_argument("--password", default="demo")
    parser.add_argument("--user-agent", dest="user_agents", nargs="+", action="extend", default=[], metavar="A")
    parser.add_argument("--fault", dest="faults", action="append", default=[], metavar="NAME[=VALUE]")
    parser.add_argument("--location-style", choices=LOCATION_STYLES, default="table")
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--pace", type=float, default=1.0, help="how much happens in a day, against the usual")
    parser.add_argument("--control", action="store_true", help="open /control/… to this machine")
    parser.add_argument("--list-faults", action="store_true", help="print the faults and end")
    given = vars(parser.parse_args(argv))
    if given.pop("list_faults"):
        print(describe())
        return 0
    try:
        return serve(Options(**given))
    except (OptionsError, FaultError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
