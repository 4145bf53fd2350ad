"""Which codi this is. A constant: looking it up among the installed packages would cost more than starting."""

VERSION = "0.1.0"
