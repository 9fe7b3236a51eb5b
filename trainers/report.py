"""Writes report.html: one page with a run's samples, figures, curves and configuration.

It holds all that it shows, and needs no network.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trainers.command_line import flags
from trainers.command_line.command import Command

if TYPE_CHECKING:
    from absl.flags import FlagValues

COMMAND = Command("trainers.report", __doc__)
flags.run_dir_flag(COMMAND)


def main(values: FlagValues) -> None:
    run_dir = flags.required_run_dir(values)

    from trainers.reports import run_report

    print(f"Report: {shlex.quote(str(run_report.write_report(run_dir)))}")


if __name__ == "__main__":
    COMMAND.run(main)
