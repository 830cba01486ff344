"""The Telegram assistant: conversation, services, exchanges, storage."""
