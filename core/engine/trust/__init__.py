"""Measured or imagined: how far its measurement supports a finished image, and how sure the prior was."""
