"""Files of customers, connections, meters, readings and payments: read, checked, taken into the books, taken back."""
