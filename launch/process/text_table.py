"""Tables for a terminal."""


def text_table(header: list[str], rows: list[list[str]], left: int = 1) -> str:
    """Columns as wide as they need, the first `left` of them and the last flush left."""
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    flush_left = {*range(left), len(header) - 1}
    padded = [
        [
            cell.ljust(width) if place in flush_left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)
