"""A virtual Yale lock: `frames`, what it holds (`memory`), what it answers (`brain`), and it on the air (`lock`)."""
