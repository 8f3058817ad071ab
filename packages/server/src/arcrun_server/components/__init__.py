"""The components: one file each, registered with their contract (docs/contract.md#components).

Example:
    >>> from arcrun_server.components.registry import Registry
    >>> from arcrun_server.outbound import Outbound
    >>> registry = Registry(Outbound(development=True))
    >>> registry.contract("hash")["category"]
    'logic'
"""
