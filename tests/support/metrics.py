"""Metrics of one step."""

from launch.run.log import SHOWN

METRICS = {f"loss/{name}": 0.5 for name in SHOWN} | {"grad_norm/generators": 2.0}
