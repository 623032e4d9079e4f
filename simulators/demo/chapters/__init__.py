"""The story, chapter by chapter, in the order in which they are told."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from simulators.demo.chapters import (
    arrival,
    booking,
    cut,
    departure,
    healing,
    killed,
    meals,
    park,
    photo,
    times,
)
from simulators.demo.stage import Stage


@dataclass(frozen=True)
class Chapter:
    """A part of the story; it begins at `clock` (resort time) on the day that `day` tells."""

    title: str
    day: Callable[[Stage], date]
    clock: str
    play: Callable[[Stage], None]


CHAPTERS = (
    Chapter("A family books", times.booking_day, "10:00", booking.play),
    Chapter("Arrival: check-in, bands, car and room", times.arrival_day, "15:00", arrival.play),
    Chapter("Into the park, and three picks", times.park_day, "09:30", park.play),
    Chapter("A photo for four", times.park_day, "12:00", photo.play),
    Chapter("Lunch on the room, and a PIN", times.park_day, "13:10", meals.play),
    Chapter("The networks of shops and park are cut", times.park_day, "14:30", cut.play),
    Chapter("An edge is killed", times.park_day, "15:10", killed.play),
    Chapter("The cut heals", times.park_day, "16:00", healing.play),
    Chapter("Check-out", times.departure_day, "10:30", departure.play),
)
