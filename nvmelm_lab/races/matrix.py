"""The matrix: on which rungs of the ladder each defect of the catalogue is found, and on which it is proven absent.

A row has a letter for each rung, in the order of `Defect.climbs`.
"""

from __future__ import annotations

from collections.abc import Mapping

FOUND = "x"
"""An order breaks the promise that the catalogue names."""

OTHERWISE = "o"
"""Orders break promises, but not that one: what is lost there is a deallocation, say, and not a write."""

ABSENT = "."
"""No order breaks any promise."""

MATRIX: Mapping[str, str] = {
    "copy-before-logging": "xxooxxooxxxxxoxx",
    "copy-while-logging-starts": "xxooxxooxxxxxoxx",
    "no-last-drain": "xxooxxooxxxxxoxx",
    "empty-taken-for-clean": "xxooxxooxxxxxoxx",
    "completion-taken-for-entry": "xxooxxooxxxxxoxx",
    "state-before-suspend": "xxxxxxxxxxxxxxxx",
    "pause-last": "xxxxxxxxxxxxxxxx",
    "rings-copied-while-running": "xxxxxxxxxxxxxxxx",
    "resume-before-last-copy": ".........x.oxoxx",
    "both-resumed": "xxxxxxxxxxxxxxxx",
    "never-suspended": "xxxxxxxxxxxxxxxx",
    "deallocations-ignored": "..x...xx.....x..",
    "copies-not-joined": ".........x..x.xx",
    "marks-cleared-after-copy": "............x..x",
    "head-before-reading": ".............x..",
    "overflow-ignored": ".............oxx",
    "baseline-before-logging-again": "..............xx",
    "baseline-without-deallocations": ".............x.x",
    "unreadable-skipped": "...x............",
    "granules-rounded-down": ".....x..........",
    "allocation-misses-granule": ".....x..........",
    "deallocation-clears-granule": "......x.........",
    "range-not-logged": ".......x.....x..",
    "marker-in-full-queue": ".............xxx",
    "logging-goes-on-after-full": ".............oxx",
    "suspend-awaits-guest": "xxxxxxxxxxxxxxxx",
    "suspend-without-drain": "xxxxxxxxxxxxxxxx",
    "suspend-before-entries": "xxooxxooxxxxxoxx",
    "entry-before-write": ".x..........x.xx",
    "in-flight-not-logged": "xxooxxooxxxxxoxx",
    "stale-deallocation-flag": ".........x......",
    "uncorrectable-not-logged": "...x............",
    "interrupts-not-replayed": "xxxxxxxxxxxxxxxx",
    "shared-namespace-not-logged": "................x",
    "earlier-commands-not-ended": "................x",
    "vm-left-paused": "................x",
}
