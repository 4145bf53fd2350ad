"""How it travels: bytes on files, sockets and pipes, to and from the words of protocol."""
