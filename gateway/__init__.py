"""What a code is, what should be on a lock, and how to get there."""
