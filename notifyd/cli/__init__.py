"""How do people talk to notifyd? One file a command; what takes time is imported late."""
