"""Compare the contract, the Python SDK and the TypeScript SDK."""
