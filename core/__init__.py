"""DDS Viewer's computing half: scans, operators, solvers, diffusion, priors and the job engine. It knows no screen."""

__version__ = "0.1.0"
