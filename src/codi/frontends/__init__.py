"""Who is talked to: ops go in, events come out."""
