"""Where things are in an NTAG213, NTAG215 or NTAG216 (NXP data sheet NTAG213_215_216 rev 3.2, chapter 8)."""

from dataclasses import dataclass

PAGE = 4
LOCK_PAGE, CC_PAGE, FIRST_USER_PAGE = 2, 3, 4
FIRST_DYNAMIC_PAGE = 16
INTERNAL_BYTE = 0x48
# ACCESS byte (page CFG1, byte 0)
PROT, CFGLCK, CNT_EN, CNT_PWD_PROT, AUTHLIM = 0x80, 0x40, 0x10, 0x08, 0x07


@dataclass(frozen=True)
class Layout:
    """One member of the family.

    Attributes:
        last_user_page: end of the user memory, inclusive.
        pages_per_lock_bit: how many pages one dynamic lock bit covers.
        cc_size: third byte of the capability container, user memory in units of 8 bytes.
        storage_code: byte 6 of GET_VERSION.
        first_user_bytes: pages 4 and 5 as delivered.
    """

    name: str
    last_user_page: int
    pages_per_lock_bit: int
    cc_size: int
    storage_code: int
    first_user_bytes: bytes

    @property
    def dynamic_lock_page(self) -> int:
        """Lock bytes 2 to 4 for the pages from 16 on."""
        return self.last_user_page + 1

    @property
    def config_page(self) -> int:
        """CFG0: MIRROR, RFUI, MIRROR_PAGE, AUTH0; CFG1 with ACCESS follows."""
        return self.last_user_page + 2

    @property
    def password_page(self) -> int:
        """PWD; PACK follows."""
        return self.last_user_page + 4

    @property
    def page_count(self) -> int:
        """All pages."""
        return self.last_user_page + 6

    @property
    def version(self) -> bytes:
        """The answer to GET_VERSION (data sheet 10.1)."""
        return bytes([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, self.storage_code, 0x03])

    @property
    def dynamic_lock_bits(self) -> int:
        """How many dynamic lock bits there are."""
        return -(-(self.last_user_page - FIRST_DYNAMIC_PAGE + 1) // self.pages_per_lock_bit)

    def factory_memory(self, uid: bytes) -> bytearray:
        """Return the memory of a chip as NXP delivers it."""
        memory = bytearray(self.page_count * PAGE)
        memory[0:4] = uid[:3] + bytes([0x88 ^ uid[0] ^ uid[1] ^ uid[2]])
        memory[4:8] = uid[3:]
        memory[8:10] = bytes([uid[3] ^ uid[4] ^ uid[5] ^ uid[6], INTERNAL_BYTE])
        memory[12:16] = bytes([0xE1, 0x10, self.cc_size, 0x00])
        memory[16:24] = self.first_user_bytes
        memory[self.dynamic_lock_page * PAGE + 3] = 0xBD
        offset = self.config_page * PAGE
        memory[offset : offset + 8] = bytes.fromhex("040000FF 00050000")
        memory[offset + 8 : offset + 16] = bytes.fromhex("FFFFFFFF 00000000")
        return memory


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("ntag213", 0x27, 2, 0x12, 0x0F, bytes.fromhex("0103A00C 340300FE")),
        Layout("ntag215", 0x81, 16, 0x3E, 0x11, bytes.fromhex("0300FE00 00000000")),
        Layout("ntag216", 0xE1, 16, 0x6D, 0x13, bytes.fromhex("0300FE00 00000000")),
    )
}
