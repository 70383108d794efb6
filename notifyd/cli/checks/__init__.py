"""What `notifyd doctor` looks at. One file a subject; each check returns findings."""
