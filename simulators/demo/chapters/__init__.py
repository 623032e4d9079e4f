"""The story, chapter by chapter, in the order in which they are told."""

from collections.abc import Callable

from simulators.demo.chapters import arrival, booking, cut, departure, healing, meals, night, park, photo
from simulators.demo.stage import Stage

CHAPTERS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("A family books", booking.play),
    ("Arrival: check-in, bands, car and room", arrival.play),
    ("Into the park, and three picks", park.play),
    ("A photo for four", photo.play),
    ("Lunch on the room, and a PIN", meals.play),
    ("The networks of shops and park are cut", cut.play),
    ("An edge is killed", night.play),
    ("The cut heals", healing.play),
    ("Check-out", departure.play),
)
