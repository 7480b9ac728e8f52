"""The abstract world: what processes and primitives may do, told as steps, and explored."""
