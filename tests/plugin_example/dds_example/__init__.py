"""A format, an operator, a prior and a method for DDS Viewer."""
