"""API recipes: HTTP requests as components (docs/contract.md#api-recipes)."""
