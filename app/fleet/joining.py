"""A machine becomes a part of the cluster: Ray is started there as the fleet needs it, and nothing phones home."""

from __future__ import annotations

import json
import os
import sys

# A machine that is gone is known after about three seconds when it refuses, and after twelve when it is silent; its
# cameras are to be back within thirty. While the first machine is away the others go on for ten minutes.
SYSTEM_CONFIG = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 1000,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 3,
    "gcs_rpc_server_reconnect_timeout_s": 600,
    "prestart_worker_first_driver": False,  # a process for each processor, of which a camera would need one
}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
PORT = 6379


def command(*, head: bool, address: str | None, port: int, site: str | None, cpus: float | None) -> list[str]:
    """What starts Ray on this machine until it is stopped."""
    words = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
    if head:
        words += ["--head", f"--port={port}", "--include-dashboard=false"]
        words += [f"--system-config={json.dumps(SYSTEM_CONFIG)}"]
    else:
        words += [f"--address={address}"]
    words += [f"--labels=site={site}"] if site is not None else []
    return words + ([f"--num-cpus={cpus:g}"] if cpus is not None else [])


def authorise(key: str) -> None:
    """This process and those that it starts; to be called before Ray is imported, which looks at it once."""
    os.environ.update({**QUIET, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": key})


def join(words: list[str]) -> None:
    """In the place of this process: Ctrl-C and service managers speak to Ray itself."""
    os.execv(words[0], words)
