"""What whoever operates a server does beside it: back up, restore, check."""
