"""Track the costs of calls, and limit them with budgets."""
