"""The kinds of edits, one file each; mpflow/repair finds them."""
