"""Recipes: how to authenticate with a service, and which requests to send to it.

Each kind goes one way: `record` says what a pushed recipe must be, `resolver` finds the recipe that a node
names, `component` and `injection` assemble the request, and `request` sends it.
"""
