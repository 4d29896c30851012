"""`pinsmith init`: writes a first configuration by asking, and tries what it is told.

`command` is the conversation as a whole; `broker`, `zwave` and `bluetooth` are its parts: each looks, shows
what the doctor would say, and asks. `questions` is how something is asked, `locks` what is asked about every
lock, `draft` what becomes of the answers, `writing` how files come into being. Nothing is written before
the end.
"""
