"""HTTP as the contract defines it: strict bodies, JSON responses, request ids."""
