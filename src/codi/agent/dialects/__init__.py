"""Tool calls that models write into their text, in the forms that they were taught: from text to calls, and back."""
