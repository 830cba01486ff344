"""The finance of Hedgehog: pure functions over numpy arrays and decimals; no I/O, clock, randomness or logging."""
