"""The wire: the recording proxy, the stand-in, fault injection, and the journal that they keep."""
