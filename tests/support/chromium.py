"""Where a Chromium may be, and how to start it for tests."""

import os
import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
# Quiet and self-contained: no sandbox (containers), no GPU, nothing fetched in the background.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Return the path of a Chromium: what PASSBAND_CHROMIUM names, else the first known program on PATH."""
    chosen = os.environ.get("PASSBAND_CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
