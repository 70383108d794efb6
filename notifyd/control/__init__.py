"""How do people and programs talk to the daemon? HTTP and JSON over a UNIX socket."""
