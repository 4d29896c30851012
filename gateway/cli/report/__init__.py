"""What goes into a file for a bug report. Nothing in it is a secret, and nobody's name is in it.

Two fences, one behind the other: `shapes` lets through only fields that are known to be harmless, and `scrub`
takes out of every text what is known to be secret and what looks like it. `parts` lists what there is.
"""
