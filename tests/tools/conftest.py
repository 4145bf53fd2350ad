"""The fixtures of the tool tests."""

from tool_bench import bench, searching_bench

__all__ = ["bench", "searching_bench"]
