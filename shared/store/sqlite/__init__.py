"""The store on SQLite: one file, one process at a time, any number of its threads."""
