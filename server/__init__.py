"""The composer: puts governance, editing and retrieval together and speaks OpenAI's protocol."""
