"""How names and booking references are looked up: however they were typed, an index finds them."""

import unicodedata
from dataclasses import replace

from gateway.db.rows import PersonRow


def name_key(name: str) -> str:
    """Return a name as it is searched for: "Núria " and "NURIA" are the same."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return " ".join(bare.split())


def searchable(person: PersonRow) -> PersonRow:
    """Return the person with the keys under which the names are found."""
    return replace(person, given_key=name_key(person.given_name), family_key=name_key(person.family_name))


def plain_reference(typed: str) -> str:
    """Return a booking reference as it is stored: "h7k-2qx " is H7K2QX."""
    return "".join(typed.split()).replace("-", "").upper()
