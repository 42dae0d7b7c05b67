"""Strangers' input, made by chance and without end: ``make fuzz`` for hours, a short run of the same in ``make test``."""
