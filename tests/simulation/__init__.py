"""A whole world in virtual time, with the real engine, storage logic and command desk in it.

One seed decides everything. `world` holds the pieces together, `radio` is the way to the locks with all that
goes wrong on it, `people` are those at the doors and at the broker, `rules` watches the numbered rules.
"""
