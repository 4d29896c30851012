"""The Z-Wave test bed: the real driver and server over simulated radio. See README.md."""
