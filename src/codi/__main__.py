"""`python -m codi`."""

from codi.cli.door import main

main()
