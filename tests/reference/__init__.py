"""A second reading of the facts: small models written from the specifications, to compare the hardware layer with."""
