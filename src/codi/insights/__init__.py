"""What is measured and kept of what happened, beside the sessions."""
