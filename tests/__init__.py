"""The tests, by kind; each says which promise it guards."""
