"""The adapter for `arcrun.Arcrun`."""

from python_shared import serve

import arcrun

if __name__ == "__main__":
    serve(arcrun.Arcrun, value_of=lambda value: value)
