"""Which items of a project are obeyed in this run.

An item is obeyed when its hash is known: because the person accepted it, or, for one run, because they trust the project as it
was when codi started. What changes meanwhile is another item.
"""

import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from codi.engine.places import Places
