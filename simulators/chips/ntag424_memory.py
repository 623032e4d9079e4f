"""What an NTAG 424 DNA keeps without power, as delivered (NT4H2421Gx, 8.2) and as a document for a file."""

from dataclasses import dataclass, field
from typing import Any

from simulators.chips.ntag424_settings import (
    FREE,
    KEY_COUNT,
    AccessRights,
    CommMode,
    FileSettings,
    unpack_settings,
)

CC_FILE, NDEF_FILE, DATA_FILE = 1, 2, 3
FACTORY_KEY = bytes(16)
_CC = bytes.fromhex("001720010000FF0406E104010000000506E10500808283").ljust(32, b"\x00")
_DATA = bytes.fromhex("007E").ljust(128, b"\x00")


@dataclass
class AppKey:
    """One of the five AES keys, its version, and the failures counted against it (chapter 9, AN12196 7.4).

    Attributes:
        failures: TotFailCtr: at its limit the key can't authenticate any more.
        in_a_row: consecutive failures; from 50 on the chip delays.
        delay_left: how many more authentications it answers with AUTHENTICATION_DELAY.
    """

    value: bytes = FACTORY_KEY
    version: int = 0
    failures: int = 0
    in_a_row: int = 0
    delay_left: int = 0


@dataclass
class StandardFile:
    """A StandardData file. `read_counter` is SDMReadCtr (9.3.1)."""

    number: int
    iso_id: int
    data: bytearray
    settings: FileSettings
    read_counter: int = 0


@dataclass
class Configuration:
    """What SetConfiguration changes (table 50)."""

    random_uid: bool = False
    no_chained_writing: bool = False
    pd_capabilities: bytes = bytes(6)
    count_failures: bool = True
    failure_limit: int = 1000
    failure_decrement: int = 10
    strong_modulation: bool = True


@dataclass
class Memory:
    """The whole chip; `uid` is the real one, 7 bytes."""

    uid: bytes
    keys: list[AppKey] = field(default_factory=lambda: [AppKey() for _ in range(KEY_COUNT)])
    files: dict[int, StandardFile] = field(default_factory=lambda: factory_files())
    configuration: Configuration = field(default_factory=Configuration)
    signature: bytes = bytes(56)

    def to_document(self) -> dict[str, Any]:
        """Return it in plain JSON types, keys included."""
        configuration = dict(vars(self.configuration))
        configuration["pd_capabilities"] = self.configuration.pd_capabilities.hex()
        return {
            "uid": self.uid.hex(),
            "keys": [vars(key) | {"value": key.value.hex()} for key in self.keys],
            "files": [
                {
                    "number": each.number,
                    "settings": (each.settings.pack() + sdm_bytes(each.settings)).hex(),
                    "data": each.data.hex(),
                    "read_counter": each.read_counter,
                }
                for each in self.files.values()
            ],
            "configuration": configuration,
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Memory":
        """Return the chip that `to_document` described.

        Raises:
            KeyError, TypeError, ValueError: the document describes no such chip.
        """
        memory = cls(bytes.fromhex(document["uid"]), signature=bytes.fromhex(document["signature"]))
        memory.keys = [AppKey(**each | {"value": bytes.fromhex(each["value"])}) for each in document["keys"]]
        if len(memory.keys) != KEY_COUNT or any(len(key.value) != len(FACTORY_KEY) for key in memory.keys):
            raise ValueError(f"an NTAG 424 DNA has {KEY_COUNT} keys of {len(FACTORY_KEY)} bytes")
        for each in document["files"]:
            file, data = memory.files[each["number"]], bytearray.fromhex(each["data"])
            if len(data) != len(file.data):
                raise ValueError(f"file {file.number} has {len(file.data)} bytes")
            file.data, file.read_counter = data, int(each["read_counter"])
            file.settings = unpack_settings(bytes.fromhex(each["settings"]), len(data))
        configuration = document["configuration"]
        capabilities = bytes.fromhex(configuration["pd_capabilities"])
        memory.configuration = Configuration(**configuration | {"pd_capabilities": capabilities})
        return memory


def sdm_bytes(settings: FileSettings) -> bytes:
    """Return the part of the settings that follows the file size in GetFileSettings; empty without SDM."""
    return settings.sdm.pack() if settings.sdm else b""


def factory_files() -> dict[int, StandardFile]:
    """Return the three files as NXP delivers them (8.2.3.1, tables 5 to 8)."""
    cc = FileSettings(CommMode.PLAIN, AccessRights(read=FREE, write=0, read_write=0, change=0))
    ndef = FileSettings(CommMode.PLAIN, AccessRights(read=FREE, write=FREE, read_write=FREE, change=0))
    data = FileSettings(CommMode.FULL, AccessRights(read=2, write=3, read_write=3, change=0))
    return {
        CC_FILE: StandardFile(CC_FILE, 0xE103, bytearray(_CC), cc),
        NDEF_FILE: StandardFile(NDEF_FILE, 0xE104, bytearray(256), ndef),
        DATA_FILE: StandardFile(DATA_FILE, 0xE105, bytearray(_DATA), data),
    }
