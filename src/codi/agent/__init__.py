"""The loop that joins the nouns."""
