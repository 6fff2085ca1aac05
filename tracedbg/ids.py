"""The numbers that must not be mixed up: moments, addresses and the names of harts, epochs and blocks."""

from typing import NewType

Time = NewType("Time", int)
"""A position t: the index of an instruction start in the total order over all harts."""

PhysicalAddress = NewType("PhysicalAddress", int)
VirtualAddress = NewType("VirtualAddress", int)

Frame = NewType("Frame", int)
"""A physical address divided by the size of a page."""

Hart = NewType("Hart", int)
Epoch = NewType("Epoch", int)
"""The index of an epoch in its trace, from 0."""

Block = NewType("Block", int)
"""The index of a translated block in the trace's block dictionary, from 0."""

RegisterId = NewType("RegisterId", int)
"""An index into the list of registers that the trace names."""
