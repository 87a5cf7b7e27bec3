"""Invoices on paper. Its modules are imported when a paper is asked for: nothing else needs the library."""
