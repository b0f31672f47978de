"""Algorithms on arrays of unit vectors: smoothing, clustering, linkage. What the rows are is known to the callers only.

All of them are deterministic. Callers hold BLAS and OpenMP to one thread, so that sums don't depend on the machine.
"""
