"""A world to try Hedgehog in with no account anywhere: Telegram over loopback, a phone page, a market."""
