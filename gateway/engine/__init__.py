"""Decides and acts: the planner says what should be done, one worker per lock does it.

`planner` and the modules it uses are pure. `absorb` turns what a lock answered into facts, `announce` turns
facts into events. `worker` and `engine` carry out.
"""
