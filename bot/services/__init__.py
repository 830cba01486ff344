"""The use cases, one file each. They know ports and the finance, never a vendor."""
