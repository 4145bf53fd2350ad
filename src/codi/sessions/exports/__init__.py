"""A session as one file that others can read: a page, Markdown, plain text."""
