"""Who acts and who goes next: thin actor shells, and the runtime that steps them.

`devices` and `iommus` are hardware, `threads` are software, `runtime` is neither. An actor says who does what in which
order; rules belong to `hw`, and flows to `drivers`.
"""
