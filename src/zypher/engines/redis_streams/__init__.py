"""The Redis Streams engine: everything that must last is in Redis, each transition is one script."""
