"""What the watch and the alert desk read and write."""
