"""Faults that are injected for real, and what becomes of the data: `make faults`.

A scenario is a function in one of these modules with `@scenario("its name")` above it. It gets an empty folder, breaks
something with real processes, files and disks, checks what is left, mends it with the next run, and returns what a user
saw. `__main__` runs the scenarios and prints the table.
"""
