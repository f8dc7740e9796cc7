"""Who acts and who goes next: thin actor shells, and the runtime that steps them."""
