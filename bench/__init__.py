"""Speed and memory, measured beside something else in the same run. `python -m bench [NAME...]`; nothing here is a test."""
