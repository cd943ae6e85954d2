"""Tables for a terminal."""

from collections.abc import Collection, Sequence


def text_table(lines: Sequence[Sequence[str]], *, flush_left: Collection[str] = ()) -> str:
    """Columns as wide as they need, flush right but for those named; the first line names them."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        [
            cell.ljust(width) if name in flush_left else cell.rjust(width)
            for name, cell, width in zip(lines[0], line, widths, strict=True)
        ]
        for line in lines
    ]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
