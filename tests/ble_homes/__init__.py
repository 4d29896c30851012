"""Access codes on Bluetooth locks: the real engine and driver, virtual locks on the radio bed, virtual time.

`doors` are the locks and what people do to them; `home` is a hub with one of them, which can be restarted and
killed. Tests go by behaviour and run for every family that has it.
"""
