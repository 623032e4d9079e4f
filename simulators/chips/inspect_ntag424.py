"""What an emulated NTAG 424 DNA holds, in words: keys' state, settings, counters."""

from collections.abc import Iterator

from simulators.chips.ntag424_memory import FACTORY_KEY, AppKey, Memory, StandardFile
from simulators.chips.ntag424_settings import FREE, NEVER, Sdm

_FILE_NAMES = {1: "CC", 2: "NDEF", 3: "data"}


def describe_ntag424(memory: Memory) -> Iterator[str]:
    """Yield the chip's state line by line, without its memory and without the keys' values."""
    configuration = memory.configuration
    yield f"ntag424  UID {memory.uid.hex()}  {'random UID' if configuration.random_uid else 'own UID'} in the field"
    for number, key in enumerate(memory.keys):
        yield f"key {number}  {_key(key)}"
    if not configuration.count_failures:
        yield "failed authentications are not counted"
    else:
        yield (
            f"a key locks after {configuration.failure_limit} failed authentications; "
            f"one that succeeds takes {configuration.failure_decrement} off"
        )
    if configuration.no_chained_writing:
        yield "chained writing is off"
    for file in memory.files.values():
        yield from _file(file)


def file_name(file: StandardFile) -> str:
    """Return a file's name as the lines call it."""
    return _FILE_NAMES[file.number]


def _key(key: AppKey) -> str:
    state = "factory" if (key.value, key.version) == (FACTORY_KEY, 0) else "changed"
    failed = f", failed {key.failures} times" if key.failures else ""
    return f"{state}, version {key.version}{failed}" + (", delays" if key.delay_left else "")


def _file(file: StandardFile) -> Iterator[str]:
    rights = file.settings.rights
    yield (
        f"file {file.number} ({file_name(file)}, {len(file.data)} bytes)  {file.settings.comm_mode.name}  "
        f"read {_who(rights.read)}, write {_who(rights.write)}, "
        f"read and write {_who(rights.read_write)}, change {_who(rights.change)}"
    )
    if file.settings.sdm is not None:
        yield from _sdm(file.settings.sdm)
        yield f"  read counter {file.read_counter}"


def _sdm(sdm: Sdm) -> Iterator[str]:
    mirrored = [name for name, on in (("UID", sdm.uid), ("read counter", sdm.counter)) if on] or ["nothing"]
    how = {FREE: "plain", NEVER: "not"}.get(sdm.meta_read, f"encrypted under key {sdm.meta_read}")
    yield f"  SDM mirrors {' and '.join(mirrored)} {how}{_at(sdm.picc_offset)}{_at(sdm.uid_offset)}"
    if sdm.file_read != NEVER:
        yield f"  SDM MAC under key {sdm.file_read}{_at(sdm.mac_offset)}, over what begins{_at(sdm.mac_input_offset)}"
    if sdm.encrypted_length is not None:
        yield f"  SDM encrypts {sdm.encrypted_length // 2} bytes{_at(sdm.encrypted_offset)}"
    limit = "" if sdm.limit is None else f", up to {sdm.limit}"
    yield f"  SDM counter is told to {_who(sdm.counter_return)}{limit}"


def _at(offset: int | None) -> str:
    return "" if offset is None else f" at {offset}"


def _who(right: int) -> str:
    return {FREE: "anybody", NEVER: "nobody"}.get(right, f"key {right}")
