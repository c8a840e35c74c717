"""Who is known: people and their embeddings."""
