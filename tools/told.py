"""Write what a model is told of codi's tools, from the tools themselves, to where a start finds it without loading them."""

from msgspec import json

from codi.tools.deferred import SHAPES, TOLD, shape
from codi.tools.struct_tool import StructTool


def text() -> bytes:
    specs = [StructTool(shape(name), name=name).spec for name in SHAPES]
    return json.format(json.encode(specs), indent=1) + b"\n"


if __name__ == "__main__":
    with open(TOLD, "wb") as file:
        file.write(text())
