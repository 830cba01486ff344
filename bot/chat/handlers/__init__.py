"""What the bot does on a command or a tap: read it, call one service, show one screen."""
