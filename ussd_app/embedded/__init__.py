"""A real PostgreSQL and a real Valkey as child processes, for a machine that has neither."""
