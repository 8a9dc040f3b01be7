"""What is open, chosen, running and shown, as evented models. No Qt, no torch."""
