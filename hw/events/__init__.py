"""What hardware did, as typed records: the only thing that oracles and renderers read, a module a topic.

`event` holds what all kinds of events have. A kind states its fields, its text for a ladder (`_label`) and what an
oracle may depend on (`_touches`). Ghost fields (`binding`, ordinals) exist in no descriptor: they tell one request from
another where hardware cannot.

Records of the link, of commands and of faults are here; what VT-d alone or PCIe alone knows is in `hw.vtd.events` and
`hw.pcie.events`. Rules and state do not belong here.
"""
