"""What proves it: the scripted model behind real wire formats, and the demo."""
