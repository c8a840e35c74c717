"""OpenVINO without its telemetry.

As it comes, importing it sends to Google Analytics that it was imported, and leaves a number for this machine in the
user's folder, unless somebody has forbidden it. It takes an absent telemetry package as it is; so that is made absent.
"""

from __future__ import annotations

import sys

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # importing it is an ImportError from now on

import openvino as ov  # noqa: E402

__all__ = ["ov"]
