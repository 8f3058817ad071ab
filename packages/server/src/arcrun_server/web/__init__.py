"""HTTP as the contract wants it: strict bodies, JSON answers, request ids."""
