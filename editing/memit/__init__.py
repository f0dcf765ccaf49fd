"""MEMIT: many facts into a few weight matrices at once."""
