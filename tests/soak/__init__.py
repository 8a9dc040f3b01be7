"""Endurance: many cycles of opening, reconstructing and closing, and random clicks and keys."""
