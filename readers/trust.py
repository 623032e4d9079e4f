"""What an edge trusts: its own key, the issuer's public keys, and the pepper where PINs are taken."""

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from readers.settings import SettingsFault
from readers.transport.base import Anchors

KEY_FILE, ANCHORS_FILE = "key.pem", "anchors.json"


class Trust:
    """The anchors in force, ready to verify with; replaced as a whole, so any thread may read."""

    def __init__(self, anchors: Anchors) -> None:
        """Take the anchors; raises ValueError when a key is none."""
        self.renew(anchors)

    def renew(self, anchors: Anchors) -> None:
        """Take newer anchors; raises ValueError when a key is none, and keeps the old ones then."""
        keys = {
            key_id: Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            for key_id, key in anchors.issuer_keys.items()
        }
        pepper = bytes.fromhex(anchors.pin_pepper) if anchors.pin_pepper else None
        self.anchors, self.issuer_keys, self.pin_pepper = anchors, keys, pepper


def make_key(directory: Path, seed: bytes) -> Ed25519PrivateKey:
    """Return the edge's key, made from `seed` (32 random bytes) where there is none yet."""
    path = directory / KEY_FILE
    if path.exists():
        return load_key(directory)
    key = Ed25519PrivateKey.from_private_bytes(seed)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_private(path, pem)
    return key


def load_key(directory: Path) -> Ed25519PrivateKey:
    """Return the edge's key.

    Raises:
        SettingsFault: there is none, or it is no Ed25519 key.
    """
    path = directory / KEY_FILE
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError):
        raise SettingsFault(f"{path} holds no key; run `passband edge enrol` first") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsFault(f"{path} is not an Ed25519 key; remove it and run `passband edge enrol`")
    return key


def load_anchors(directory: Path) -> Anchors:
    """Return the anchors as last told.

    Raises:
        SettingsFault: there are none, or they can't be read.
    """
    path = directory / ANCHORS_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Anchors)
    except (OSError, msgspec.MsgspecError):
        raise SettingsFault(f"{path} holds no anchors; run `passband edge enrol` first") from None


def save_anchors(directory: Path, anchors: Anchors) -> None:
    """Write the anchors, readable by the edge alone; the keys of chips are not among them but in the custody."""
    shown = msgspec.structs.replace(anchors, reader_keys={}, chip_masters={})
    write_private(directory / ANCHORS_FILE, msgspec.json.encode(shown))


def public_key_hex(key: Ed25519PrivateKey) -> str:
    """Return the public half, as the gateway is told it."""
    return key.public_key().public_bytes_raw().hex()


def write_private(path: Path, content: bytes) -> None:
    """Replace the file as a whole, mode 600, durable before it takes its name."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
