"""The embedded engine: SQLite keeps what is accepted, memory keeps the order."""
