"""The running program: the only floor that meets the network."""

__version__ = "0.1.0"
