"""Auth recipes: how to authenticate with a service (docs/contract.md#auth-recipes)."""
