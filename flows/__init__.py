"""Every conversation, in any channel. Code here does no I/O and reads no clock: this folder is a promise."""
