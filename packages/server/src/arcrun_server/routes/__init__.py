"""The routes of the contract, one file for each group of paths."""
