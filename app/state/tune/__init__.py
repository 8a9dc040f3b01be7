"""The tuning bench: what its history of runs and its sweeps are, without a widget."""
