"""The web server's worker: gunicorn's, but a thread is taken only by a request that has arrived."""
