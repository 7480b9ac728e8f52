"""One file for each way to look at a trace: a Trace goes in, text comes out."""
