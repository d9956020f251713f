"""Files that lie elsewhere, in object storage or on file servers: taken there, put there."""
