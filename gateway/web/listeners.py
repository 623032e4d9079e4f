"""Who listens to a live stream, by session: a stream must not outlive the sign-out of who opened it."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.auth import token_hash


class Listeners:
    """The open streams of this process. All of it runs in the one event loop that serves."""

    def __init__(self) -> None:
        self._open: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listening(self, token: str) -> Iterator[asyncio.Event]:
        """Give the event that is set when the session with this token is signed out here."""
        ended, key = asyncio.Event(), token_hash(token)
        self._open[key].add(ended)
        try:
            yield ended
        finally:
            self._open[key].discard(ended)
            if not self._open[key]:
                del self._open[key]

    def end(self, token: str) -> None:
        """Let every stream of this session end."""
        for ended in self._open.get(token_hash(token), ()):
            ended.set()
