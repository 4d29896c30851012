"""A virtual Yale lock: `frames`, its `memory`, what it answers (`brain`), and it on the air (`lock`)."""
