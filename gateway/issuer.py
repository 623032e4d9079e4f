"""The keys that sign credentials: made at the first start, sealed at rest, public to every edge."""

from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.clock import Entropy
from gateway.db.engine import Database
from gateway.db.house import issuer_keys
from gateway.db.rows import IssuerKeyRow, KeyState
from gateway.vault import Vault
from wallet.credential import Credential, sign

PURPOSE = "issuer key"


class Issuer:
    """Signs credentials with the newest active key of the database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._lock = Lock()
        self._opened: dict[str, Ed25519PrivateKey] = {}

    def rows(self) -> list[IssuerKeyRow]:
        """Return all keys, oldest epoch first."""
        with self._database.read() as connection:
            return issuer_keys(connection)

    def public_keys(self) -> dict[str, str]:
        """Return key id → public key (hex) of the keys that edges accept."""
        return {row.key_id: row.public for row in self.rows() if row.state is KeyState.ACTIVE}

    def current(self) -> IssuerKeyRow:
        """Return the key that signs now; its `key_id` and `epoch` go into a credential."""
        active = [row for row in self.rows() if row.state is KeyState.ACTIVE]
        assert active, "a started gateway has an issuer key"
        return active[-1]

    def sign(self, credential: Credential) -> bytes:
        """Return the credential signed by the key that it names.

        Raises:
            KeyError: no such key.
            VaultFault: the key was sealed under another master key.
        """
        with self._lock:
            key = self._opened.get(credential.key_id)
            if key is None:
                rows = {row.key_id: row for row in self.rows()}
                key = self._opened[credential.key_id] = open_key(self._vault, rows[credential.key_id])
        return sign(credential, key)


def new_key(vault: Vault, entropy: Entropy) -> tuple[str, str, str]:
    """Return (key id, public key, sealed private key) of a new Ed25519 key, all hex."""
    private = entropy.draw(32)
    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    key_id = entropy.draw(4).hex()
    return key_id, public.hex(), vault.seal(PURPOSE, key_id, private, entropy.draw(12))


def open_key(vault: Vault, row: IssuerKeyRow) -> Ed25519PrivateKey:
    """Return the private key of a row.

    Raises:
        VaultFault: sealed under another master key.
    """
    return Ed25519PrivateKey.from_private_bytes(vault.open(PURPOSE, row.key_id, row.sealed_private))
