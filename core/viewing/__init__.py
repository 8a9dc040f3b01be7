"""How volumes are looked at and measured: planes through the patient, what is cut there, numbers of a region."""
