"""What notifyd costs, and how good its decisions are."""
