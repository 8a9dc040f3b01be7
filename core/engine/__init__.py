"""The job engine: what a run is, the events it yields, and the generator that yields them."""
