"""What a page says after something was done; the address names it by a code, so that asking twice says the same."""

_NOTICES: dict[str, tuple[str, str]] = {
    "booked": ("done", "Your times are booked. Tap the bypass entrance when they open."),
    "cancelled": ("done", "The pick is cancelled, and its place is free again."),
    "turned-off": ("done", "It is turned off. Connected readers refuse it within seconds."),
    "pass-made": ("done", "This phone carries a pass now."),
    "pin-set": ("done", "The PIN is set. Purchases above the threshold ask for it."),
    "limit-set": ("done", "The daily limit is set."),
    "claimed": ("done", "The photos are in your album."),
    "unlinked": ("done", "The photo is out of your album. Others in it keep theirs."),
    "signed-out": ("done", "You are signed out."),
    "revoked": ("done", "The medium is revoked. Connected readers refuse it within seconds."),
    "checked-in": ("done", "The party is checked in; its keys work now."),
    "checked-out": ("done", "The party is checked out; its keys are dead."),
    "paid": ("done", "The payment is on the folio."),
    "encoding": ("done", "The encoder waits. Hold a blank band or card to it."),
    "resolved": ("done", "The conflict is resolved, with your note."),
    "carded": ("done", "The claim card is ready."),
    "linked": ("done", "The photo is linked."),
}


def notice_of(code: str) -> list[dict[str, str]]:
    """Return the notices to show for a code; none for one that nobody of us wrote."""
    known = _NOTICES.get(code)
    return [{"tone": known[0], "text": known[1]}] if known else []
