"""Accounts: their badge, their list, and the ways to connect and disconnect one."""
