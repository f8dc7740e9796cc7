"""Search over schedules: one loop, many strategies, and what to do with a failing schedule."""
