"""What software did, as typed records for oracles and renderers, a module a topic.

`hw.events` explains the fields that recur. A record belongs here if an oracle or a renderer of several scenarios reads
it; the code that emits it does not.
"""
