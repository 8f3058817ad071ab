"""Reports of a run. Every one of them is made from the redacted data of `document.describe`."""
