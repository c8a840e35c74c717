"""Whether the program in this container does its work: exit code 0 if /healthz says so.

Who asks without a login is told the status alone, so no password is needed here. A run without a console has nothing
to ask: start it with --no-healthcheck.
"""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection

_TIMEOUT_S = 4


def main() -> int:
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("CONSOLE_PORT") or 8080), timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read(1000).decode(errors="replace")
    except OSError as error:
        said, status = f"the console does not answer: {error}", 0
    else:
        status = answer.status
    finally:
        connection.close()
    sys.stdout.write(said)
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
