"""Convolutions in the forms that XLA runs fastest on a CPU, equal to XLA's own ones to rounding.

The networks spend nearly all their time in convolutions, and XLA for CPUs is slow at several of theirs.
Each module rewrites one kind as operations that XLA is fast at, mostly products of matrices, with pullbacks
of its own where those that JAX derives are slow. `matmul.py` multiplies in bfloat16 where asked, and sums
in float32.
"""
