"""Who may, who did: accounts, corrections and their moves, policy, the audit tree, the vault and erasure."""
