"""Answers ``/api/health`` where Grafana would, and nothing else: Grafana's server is in no package registry."""

from http.server import BaseHTTPRequestHandler, HTTPServer


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()

    do_HEAD = do_GET


HTTPServer(("", 3000), Health).serve_forever()
