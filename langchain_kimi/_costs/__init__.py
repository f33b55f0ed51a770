"""The cost of one call, and sums of costs."""
