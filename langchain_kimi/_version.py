"""The version, for those who ask the package itself and for the user agent that it sends."""

__version__ = "0.1.0"
