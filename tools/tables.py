"""Write the tables of services and models as JSON, from the TOML in which they are edited, to where a start reads them."""

import tomllib

from msgspec import json

from codi.providers.shipped import TABLES, path_of


def text(table: str) -> bytes:
    with open(path_of(table, "toml"), "rb") as file:
        return json.format(json.encode(tomllib.load(file)), indent=1) + b"\n"


if __name__ == "__main__":
    for table in TABLES:
        with open(path_of(table, "json"), "wb") as file:
            file.write(text(table))
