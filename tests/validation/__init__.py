"""Tables and figures of how good and how costly reconstructions are; `python -m tests.validation` makes them."""
