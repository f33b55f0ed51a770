"""Clients for servers on loopback without TLS."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A context without certificates. A client would otherwise load those of all authorities, which takes 20 ms."""
