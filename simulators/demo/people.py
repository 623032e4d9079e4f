"""The people of the story: made-up names, chosen by the seed."""

from dataclasses import dataclass

from simulators.dice import Dice

_GIVEN = (
    "Alba", "Bruno", "Carla", "Darío", "Elsa", "Félix", "Greta", "Hugo", "Inés", "Jorge",
    "Lola", "Marco", "Nora", "Óscar", "Paula", "Quim", "Rosa", "Samuel", "Tessa", "Unai",
)  # fmt: skip
_FAMILY = ("Arroyo", "Bosque", "Collado", "Duna", "Encina", "Fuentes", "Lago", "Monte", "Prado", "Ribera")


@dataclass(frozen=True)
class Person:
    """Someone who books or is booked for."""

    given_name: str
    family_name: str
    child: bool = False

    @property
    def email(self) -> str:
        """An address that can't exist (RFC 2606)."""
        return f"guest-{len(self.given_name)}{len(self.family_name)}@example.invalid"


def family(dice: Dice) -> list[Person]:
    """Return the lead, two children and another adult."""
    names = dice.choose("given names", _GIVEN, 4)
    surname = dice.choose("family name", _FAMILY, 1)[0]
    return [Person(name, surname, child=number in (1, 2)) for number, name in enumerate(names)]


def latecomer(dice: Dice) -> Person:
    """Return the guest who buys a ticket while the park is cut off."""
    given = [name for name in _GIVEN if name not in {person.given_name for person in family(dice)}]
    return Person(dice.choose("latecomer", given, 1)[0], dice.choose("latecomer's name", _FAMILY, 1)[0])


def couple(dice: Dice) -> list[Person]:
    """Return two adults who are none of the others, for whoever plays on after the story."""
    others = {person.given_name for person in family(dice)} | {latecomer(dice).given_name}
    names = dice.choose("couple", [name for name in _GIVEN if name not in others], 2)
    surname = dice.choose("couple's name", _FAMILY, 1)[0]
    return [Person(name, surname) for name in names]
