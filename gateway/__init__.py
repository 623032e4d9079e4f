"""The central ledger: it takes commands, keeps the books and tells every edge what changed."""
