"""What listens: webhooks, health and metrics."""
