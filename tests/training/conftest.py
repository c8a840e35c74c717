from __future__ import annotations

import os

# Before torch is imported. Its threads spin while they wait for each other: with several, networks of this size take
# seven times as long on a machine that has something else to do.
os.environ.setdefault("OMP_NUM_THREADS", "1")
