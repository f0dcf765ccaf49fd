"""`python -m server` is `errata`: how `errata serve` starts its parts."""

from server.cli import main

main()
