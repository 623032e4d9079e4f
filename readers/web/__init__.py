"""The edge's own small web: status for staff, the tills' API."""
