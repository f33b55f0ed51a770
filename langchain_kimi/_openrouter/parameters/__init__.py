"""Request parameters: their fields, option objects, plugins and validators, and how settings and calls are merged."""
