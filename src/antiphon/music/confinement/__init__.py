"""Cage of an engine: what a process that reads strangers' files can still do when one of them takes it over.

The parent starts it with an ``environment`` made from nothing and says how much it may use (``limits``). The process
shuts itself in (``cage``), in its main thread and before it opens any input: limits, another user where it is root, no
new privileges, ``landlock`` for files and TCP, ``seccomp`` for everything that is not reading, computing and writing. A
layer that the system lacks is left out; ``probe`` tells which ones hold.
"""

from antiphon.music.confinement.cage import Cage
from antiphon.music.confinement.environment import child_environment
from antiphon.music.confinement.limits import EngineLimits

__all__ = ["Cage", "EngineLimits", "child_environment"]
