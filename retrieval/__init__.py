"""Find what was written: documents, parsers, chunking, embedder, FAISS and lexical index, freshness."""
