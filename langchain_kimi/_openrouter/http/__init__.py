"""The HTTP transport: the only package of the core that does I/O."""
