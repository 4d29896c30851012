"""A virtual Nuki lock: `brain` is what it knows and answers, `on_air` puts it onto the virtual radio.

It is written from the protocol alone and shares no code with the driver, so that a mistake in reading the
protocol is not made twice in the same words. Other people's client speaks to it too (tests/nuki).
"""
