"""One file for each type of primitive: its options, its real object, its operations, its rule."""
