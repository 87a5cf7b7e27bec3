"""The `mita` command."""
