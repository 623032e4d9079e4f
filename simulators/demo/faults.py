"""What can go wrong in a story, each with one sentence for the person who watches."""


class StoryFailed(Exception):
    """Something happened that must not: an unexpected light, a wrong bill, a lost tap."""


class Refused(Exception):
    """The gateway or an edge refused a request, and trying again will not help."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(f"{sentence} ({status} {code})")
        self.status = status
        self.code = code
