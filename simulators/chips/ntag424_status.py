"""The status words of an NTAG 424 DNA (NT4H2421Gx, tables 23 and 24) and the refusal that carries one."""

from enum import IntEnum


class Status(IntEnum):
    """The second byte of a native command's status; the first is 91."""

    OK = 0x00
    COMMAND_NOT_FOUND = 0x0B
    COMMAND_FORMAT = 0x0C
    ILLEGAL_COMMAND = 0x1C
    INTEGRITY_ERROR = 0x1E
    NO_SUCH_KEY = 0x40
    LENGTH_ERROR = 0x7E
    PERMISSION_DENIED = 0x9D
    PARAMETER_ERROR = 0x9E
    AUTHENTICATION_DELAY = 0xAD
    AUTHENTICATION_ERROR = 0xAE
    ADDITIONAL_FRAME = 0xAF
    BOUNDARY_ERROR = 0xBE
    COMMAND_ABORTED = 0xCA
    FILE_NOT_FOUND = 0xF0

    @property
    def word(self) -> bytes:
        """Both bytes, as they travel."""
        return bytes([0x91, self])


class IsoStatus(IntEnum):
    """The status of an inter-industry command (CLA 00)."""

    OK = 0x9000
    WRONG_LENGTH = 0x6700
    NOT_ALLOWED = 0x6982
    CONDITIONS = 0x6985
    NOT_FOUND = 0x6A82
    WRONG_PARAMETERS = 0x6A86
    WRONG_LC = 0x6A87
    UNKNOWN_INS = 0x6D00
    UNKNOWN_CLA = 0x6E00

    @property
    def word(self) -> bytes:
        """Both bytes, as they travel."""
        return self.to_bytes(2)


class Refusal(Exception):
    """The chip refuses a command; a session that was open is over (9.1.9)."""

    def __init__(self, status: Status | IsoStatus) -> None:
        super().__init__(status.name)
        self.status = status


def require(condition: bool, status: Status | IsoStatus) -> None:
    """Refuse with `status` unless the condition holds."""
    if not condition:
        raise Refusal(status)
