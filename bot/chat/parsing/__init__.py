"""From what people type to what they mean. Nothing here raises; what cannot be meant is named with its reason."""
