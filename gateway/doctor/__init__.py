"""`pinsmith doctor`: what is wrong around the hub, why, and what to do about it.

Each subject has two sides. *Probes* (`probe_*`, and the surveys of the drivers) gather facts and judge
nothing; they never write to a lock, a retained topic or the database. *Checks* are pure: facts in, findings
out; the table of what each can find stands beside it and becomes docs/doctor.md. `examine` puts the two
together.

Probes know nothing of the rest, so that other commands can use them: "does this broker take us", "is there a
Z-Wave server at this address and which nodes are locks", "which Bluetooth locks are around".
"""
