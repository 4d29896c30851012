"""Libraries that log more than a log may hold."""

import logging


def quieten(*names: str) -> None:
    """Let these loggers of libraries say nothing below INFO, whatever the root logger is set to."""
    for name in names:
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.INFO, logger.getEffectiveLevel()))
