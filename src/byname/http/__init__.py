"""Who is asking and how bytes travel: requests, authentication, links, the server."""
