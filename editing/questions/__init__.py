"""Questions taken apart and put together again, by rule: grammar, shapes, relations, frames."""
