"""How a name is written for searching: without case and accents, so that an index finds its beginning."""

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
