"""Run `passband WORDS` as a child that ends with its parent, however the parent ends.

The parent holds the writing end of this process's standard input and never writes. When the parent is gone,
killed or not, the pipe closes, and nothing is left behind. This needs no call of one operating system alone.
"""

import os
import signal
import sys
import threading

GRACE_S = 3.0


def main(words: list[str]) -> int:
    """Answer the words as `passband` does, watched by the leash."""
    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    import passband  # after the leash: importing takes long enough to lose a parent in it

    return passband.main(words)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
