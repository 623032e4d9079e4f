"""The promises, checked from the database, the edges' journals and the lamps' logs."""
