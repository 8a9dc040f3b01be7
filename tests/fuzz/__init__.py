"""Readers under damaged files: python -m tests.fuzz hunts, the tests beside it replay what was found."""
