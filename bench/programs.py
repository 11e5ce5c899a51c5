"""The programs that benchmarks need and this machine may lack, from Debian's packages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.servers import install as servers

PROGRAMS = {
    "wrk": Path("/usr/bin/wrk"),
    "nginx-light": Path("/usr/sbin/nginx"),
    "libnginx-mod-http-echo": Path("/usr/lib/nginx/modules/ngx_http_echo_module.so"),
}
"""By package a file it brings. nginx serves photos, its module makes it wait before it does, wrk is the floor."""


def install() -> int:
    """See that they are there, as the tests' servers; 0 when they are. Starts nothing."""
    if code := servers.main():
        return code
    missing = [package for package, file in PROGRAMS.items() if not file.exists()]
    if not missing:
        return 0
    if shutil.which("apt-get") is None:
        print(f"the benchmarks need {', '.join(missing)}: run them on Debian", file=sys.stderr)
        return 1
    print(f"Installing for the benchmarks, once: {', '.join(missing)}", file=sys.stderr, flush=True)
    return servers.install(missing)
