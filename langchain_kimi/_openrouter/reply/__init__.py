"""Read the bytes of replies into wire events."""
