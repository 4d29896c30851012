"""The `pinsmith` command: starts the daemon, and talks to a running one over MQTT.

`main` knows all commands. Each other module is one group of them: what it takes, what it asks the daemon, how
the answer looks. Start-up time matters on a small hub, so radio libraries, storage and tables are imported
only where a command needs them.
"""
