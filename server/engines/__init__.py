"""Ways to reach a language model whose weights can be exchanged while it answers."""
