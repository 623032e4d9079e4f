"""What can go wrong with a command, and how HTTP says it (RFC 9457 problem details).

Rejection                 a command, or a request, is refused; nothing was written
└─ ComeBack               not now; Retry-After says when
   ├─ Busy                the queue is full, or it waited too long in it: 429
   │  └─ Unavailable      the database has no time, room or connection at this moment: 503
   └─ TooMany             someone tries or asks too often: 429
"""

from typing import Any


class Rejection(Exception):
    """A refusal with a code, an HTTP status and one plain sentence. Nothing is written, nothing is stored.

    Args:
        code: a word for programs, like "window_full"; it never changes its meaning.
        status: the HTTP status (404, 409, 422 …).
        sentence: for people.
        detail: what else a program may want to know; JSON-able.
    """

    def __init__(self, code: str, status: int, sentence: str, detail: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.status = status
        self.sentence = sentence
        self.detail = detail or {}

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP headers that go with it."""
        return {}


class ComeBack(Rejection):
    """A refusal of this moment; come back after so many seconds."""

    def __init__(
        self, code: str, status: int, sentence: str, detail: dict[str, Any] | None, retry_after_s: int
    ) -> None:
        super().__init__(code, status, sentence, detail)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> dict[str, str]:
        """When to come back."""
        return {"Retry-After": str(self.retry_after_s)}


class Busy(ComeBack):
    """More commands wait than may; come back in a moment, with the same Idempotency-Key."""

    def __init__(
        self,
        retry_after_s: int = 1,
        code: str = "busy",
        status: int = 429,
        sentence: str = "Too many requests wait at this moment. Please try again in a second.",
    ) -> None:
        super().__init__(code, status, sentence, None, retry_after_s)


class TooMany(ComeBack):
    """Too many of this from one name or address; come back later."""

    def __init__(self, code: str, sentence: str, retry_after_s: int) -> None:
        super().__init__(code, 429, sentence, None, retry_after_s)


class Unavailable(Busy):
    """The database does not answer in time; come back in a moment, with the same Idempotency-Key."""

    def __init__(self) -> None:
        sentence = "The ledger is busy at this moment. Please try again in a few seconds."
        super().__init__(2, "unavailable", 503, sentence)


def not_found(noun: str, identifier: str) -> Rejection:
    """Return the refusal for something that does not exist (or is not the asker's)."""
    return Rejection("not_found", 404, f"There is no {noun} {identifier!r}.")


def unstorable() -> Rejection:
    """Return the refusal for a value that no database keeps."""
    return Rejection(
        "unstorable", 422, "A text holds a character, or a number a size, that cannot be stored."
    )


class NotHeld(AssertionError):
    """A service put a row whose key it does not hold: an error of the program, never of the guest."""
