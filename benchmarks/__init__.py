"""What it costs: `python -m benchmarks [TOPIC ...]` measures on this machine and prints one table per topic.

Every topic checks what it measured: a run that came to a wrong result stops. What the figures mean is in
docs/benchmarks.md.
"""
