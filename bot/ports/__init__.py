"""The doors to the outside as Protocols in the domain's words, and the records that pass through them."""
