"""Strangers' input, made by chance: ``make fuzz`` makes much of it, ``make test`` a little."""
