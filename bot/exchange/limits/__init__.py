"""What an exchange is spared: budgets of requests, pauses, and a circuit that opens while it is down."""
