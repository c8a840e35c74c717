"""What a warden of the tests starts instead of a run: it has a console that tells figures, and ends as it is told.

The source says how it behaves: well, ends, refused, dies, deaf (it does not end when its leash does).
"""

from __future__ import annotations

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FIGURES = """# TYPE facewire_fps gauge
facewire_fps{camera="door"} 12.5
facewire_camera_age_seconds{camera="door"} 0.25
facewire_camera_state{camera="door",state="starting"} 0
facewire_camera_state{camera="door",state="live"} 1
facewire_latency_seconds_bucket{le="0.5"} 3
"""


def main() -> int:
    task = json.loads(sys.stdin.readline())
    camera = task["camera"]
    say(f"told {camera['name']} {task['chosen']['CONSOLE_PORT']}")
    match camera["source"]:
        case "ends":
            return 0
        case "refused":
            say("The source cannot be opened.")
            return 2
        case "dies":
            return 1
    console = ThreadingHTTPServer(("127.0.0.1", 0), handler(task["chosen"]["CONSOLE_VIEWER_TOKEN"]))
    console.daemon_threads = True
    threading.Thread(target=console.serve_forever, daemon=True).start()
    say(f"[console] listening at http://127.0.0.1:{console.server_address[1]}/")
    sys.stdin.read()
    if camera["source"] == "deaf":
        time.sleep(600)
    say("ended in order")
    return 0


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def handler(token: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.headers["Authorization"] == f"Bearer {token}"
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(FIGURES.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    sys.exit(main())
