"""The store on PostgreSQL: a server, any number of processes and threads."""
