"""What an account has, from its exchange's own totals: one file an exchange."""
