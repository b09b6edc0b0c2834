"""ZypherAI serves any Python model over HTTP, synchronously and asynchronously."""

__version__ = "0.1.0"
