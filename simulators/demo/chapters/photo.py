"""All four tap at the photographer's, and one picture is linked to each of them."""

import io
import time
from datetime import UTC

from simulators.demo.faults import StoryFailed
from simulators.demo.stage import Stage

POINT = "photo-plaza"
_WAIT_S = 15.0


def play(stage: Stage) -> None:
    """Take a photo of four guests."""
    memory = stage.memory
    for guest in memory.guests:
        stage.expect_green(POINT, guest)
    stage.until_home(("park",))
    fields = {"photo_point": POINT, "taken_at": stage.clock.now().astimezone(UTC).isoformat()}
    picture = draw_picture(stage.dice.seed)
    photo = stage.gateway.upload("photo", "/api/v1/photos", fields, picture, stage.staff["photographer"])
    linked = {str(link["token_id"]) for link in photo["linked"]}
    if linked != {guest.token_id for guest in memory.guests}:
        raise StoryFailed(f"The photo is linked to {len(linked)} guests instead of these four.")
    stage.narrator.say("The photographer uploads one picture: linked to all four, in everyone's app at once.")
    _expect_in_app(stage, str(photo["photo_id"]))
    stage.tell_ledger()


def draw_picture(seed: int, figures: int = 4) -> bytes:
    """Return a JPEG of some figures before a lagoon, its light depending on the seed."""
    from PIL import Image, ImageDraw  # with the first picture: the story has begun long before

    image = Image.new("RGB", (1200, 800), (120 + seed % 100, 180, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 500, 1200, 800), fill=(20, 90, 140))
    for number in range(figures):
        left = 220 + number * 200
        draw.ellipse((left, 300, left + 80, 380), fill=(230, 190, 150))
        draw.rectangle((left - 10, 380, left + 90, 620), fill=(60 + number * 45, 80, 160 - number * 30))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def _expect_in_app(stage: Stage, photo_id: str) -> None:
    deadline = time.monotonic() + _WAIT_S
    path = f"/api/v1/parties/{stage.memory.party_id}/photos"
    while time.monotonic() < deadline:
        photos = stage.gateway.get(path, stage.memory.guest_session)["photos"]
        if any(photo["photo_id"] == photo_id for photo in photos):
            return
    raise StoryFailed("The party's app does not show the photo.")
