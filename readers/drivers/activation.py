"""From a selected chip to nfcpy's tag class for it."""

from typing import Any

import nfc.clf
import nfc.tag
import nfc.tag.tt2_nxp
import nfc.tag.tt4

from readers.drivers.air import BoundedAir
from readers.drivers.base import ChipKind

ACTIVATION_BUDGET_S = 1.5
_GET_VERSION = b"\x60"
GET_VERSION, NEXT_FRAME = bytes.fromhex("9060000000"), bytes.fromhex("90AF000000")
"""The same of a chip that speaks ISO-DEP, in three frames (NT4H2421Gx, 10.5.2)."""
VERSION_FRAMES = 3
_NTAG424_HARDWARE = (
    0x04,
    0x04,
    0x30,
)  # NXP, NTAG, major version; the sub-type tells only the antenna's capacity
_MORE_FOLLOWS = b"\x91\xaf"
_ISO_DEP = 0x20  # SEL_RES bit 6: the chip speaks ISO/IEC 14443-4
_NXP = 0x04
_KINDS = {kind.name: kind for kind in (ChipKind.NTAG213, ChipKind.NTAG215, ChipKind.NTAG216)}


def activate(air: BoundedAir, target: Any) -> Any:
    """Return nfcpy's tag for the chip just selected, None when nfcpy knows no way to talk to it.

    Asks NXP's Type 2 chips for their version first. nfcpy tries an Ultralight C authentication before, which
    costs six exchanges on every tap and leaves a half-done authentication on an Ultralight AES.
    """
    air.allow(ACTIVATION_BUDGET_S, retries=True)
    if target.sel_res and target.sel_res[0] & _ISO_DEP:
        return nfc.tag.tt4.Type4ATag(air, target)
    if target.sdd_res and target.sdd_res[0] == _NXP and not target.sel_res[0]:
        target.sel_req = target.sdd_res[:]
        tag = _by_version(air, target)
        if tag is not None:
            return tag
    return nfc.tag.activate(air, target)


def kind_of(tag: Any) -> ChipKind:
    """Return the kind of chip behind an nfcpy tag (None is OTHER)."""
    if isinstance(tag, nfc.tag.tt4.Type4Tag):
        return ChipKind.TYPE4
    return _KINDS.get(type(tag).__name__, ChipKind.OTHER)


def kind_of_version(answer: bytes) -> ChipKind:
    """Return the kind of a chip that speaks ISO-DEP by what it answered to GET_VERSION."""
    hardware, status = answer[:-2], answer[-2:]
    if status != _MORE_FOLLOWS or len(hardware) != 7:
        return ChipKind.TYPE4
    vendor, kind, _, major, *_ = hardware
    return ChipKind.NTAG424 if (vendor, kind, major) == _NTAG424_HARDWARE else ChipKind.TYPE4


def _by_version(air: BoundedAir, target: Any) -> Any:
    try:
        version = bytes(air.exchange(_GET_VERSION, timeout=0.01))
    except nfc.clf.CommunicationError:
        version = b""
    if version in nfc.tag.tt2_nxp.VERSION_MAP:
        return nfc.tag.tt2_nxp.VERSION_MAP[version](air, target)
    # A chip without this command has gone mute and must be selected again.
    if air.sense(target) is None:
        raise nfc.clf.BrokenLinkError("the chip left after it was asked for its version")
    return None
