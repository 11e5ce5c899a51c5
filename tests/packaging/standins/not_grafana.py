"""Answers ``/api/health`` where Grafana would, and nothing else: Grafana's server is in no package registry."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802 (the name the library calls)
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815


HTTPServer(("", 3000), Health).serve_forever()
