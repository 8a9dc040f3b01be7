"""Speed, always beside a plain reference in the same call. Run with: make bench."""
