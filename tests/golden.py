"""A text with everything in it that an answer may hold."""

GOLDEN = """# What is done

Some **bold**, *leaning* and `code` words, ~~struck~~, with a [link](https://example.org/a) and <https://example.org>.
A second line of it.

- one
- two with a long text that will be broken, and more of it
  - inner
- [x] three
- [ ] four

1. first
2. second

> quoted
> twice

| name | count | what |
|------|------:|:----:|
| 漢字  | 1     | a much longer cell than all the others |
| b    | 22    | c    |

```python
def f(x: int) -> str:
    \"\"\"Say it.\"\"\"
    return f"{x} 🙂"  # so


class A:
    pass
```

***

The end: a paragraph that is long enough to be wrapped more than once in a window of forty cells.

```
open
"""
