"""The utility's books: customers, connections, meters, readings, tariffs, bills and the ledger."""
