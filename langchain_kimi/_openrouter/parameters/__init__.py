"""Request parameters: their fields, rules and option objects."""
