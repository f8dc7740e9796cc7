"""What software does: kernel flows, protocol by protocol, one await per thing that another agent can observe.

`kernel` is what knows no particular IOMMU, `smmuv3` and `vtd` are the drivers of the two, `events` are records of what
software did. `cpu` states what all of them need of whoever runs them; who runs them, and when, is `actors`.
"""
