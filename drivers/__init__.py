"""What software does: kernel flows, protocol by protocol, one await per thing that another agent can observe."""
