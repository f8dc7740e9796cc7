"""What hardware did, as typed records: the only thing that oracles and renderers read, a module a topic.

Ghost fields (`binding`, ordinals) exist in no descriptor: they tell one request from another where hardware cannot.
`label` is the text on a ladder, `target` the lane that an arrow goes to, `touches` what the emitting step must have
declared, because an oracle may depend on the order of two events that touch the same thing.

Records of the link, of commands and of faults are here; what VT-d alone or PCIe alone knows is in `hw.vtd.events` and
`hw.pcie.events`. Rules and state do not belong here.
"""
