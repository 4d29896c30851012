"""The use cases behind the commands.

`desk` takes any bytes and answers; one module per object of the reference.
"""
