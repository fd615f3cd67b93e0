"""What the end-to-end tests stand on: a database, servers, clients."""
