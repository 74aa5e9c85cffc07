"""Who notices that a controller was reset, and brings it up again.

In a real host that is the driver's watchdog: nothing comes for long, so it reads CSTS.  How long that takes
compared with everything else is open, hence it is an actor of its own.  The alarm stands for "nothing comes": a
step without a timer, so that a run in which nothing fails has no step more.
"""

from __future__ import annotations

from nvmelm_lab.engine import Engine, Kind, Signal, do
from nvmelm_lab.errors import InputError
from nvmelm_lab.host import provision
from nvmelm_lab.host.driver import Driver

NOTICE_NS = 50_000
"""How long it takes a driver to notice.  Real ones take seconds; here a run is some milliseconds long."""


class Caretaker:
    """Looks after the controller of `driver` whenever the `alarm` is raised.

    A primary controller's secondary ones that are to be online are brought online with it, and the alarm is raised
    again, for theirs is the same fate: their drivers find them ready, and initialize them.

    Two actors share the work: one looks and ends what was under way, the other initializes.  So a controller that is
    reset while it is initialized is noticed as well.
    """

    def __init__(self, engine: Engine, driver: Driver, alarm: Signal) -> None:
        self.driver = driver
        self.alarm = alarm
        self._lost = Signal(engine, f"the loss of the controller of {driver.name}")
        self._look = Kind(
            "look",
            lambda _: self._look_after(),
            gate=driver.gate,
            takes=NOTICE_NS,
            touches=lambda _: driver.port.reviving_touches(),
            label=lambda _: f"{driver.name} looks whether its controller is ready",
        )
        self._up = Kind(
            "up",
            driver.has_revived,
            touches=lambda _: ((), driver.port.cells),
            label=lambda _: f"{driver.name} is served again",
        )
        engine.spawn(f"{driver.name} watchdog", self._watch()).again = self._watch
        engine.spawn(f"{driver.name} caretaker", self._take_care()).again = self._take_care

    async def _watch(self) -> None:
        seen = self.alarm.level
        while True:
            seen += 1
            await self.alarm.wait(seen)
            await do(self._look)

    def _look_after(self) -> None:
        if not self.driver.serves():
            self.driver.lose()
            self._lost.count()

    async def _take_care(self) -> None:
        seen = 0
        while True:
            seen += 1
            await self._lost.wait(seen)
            try:
                await self._revive(seen)
            except InputError:
                # Offline, or reset once more: it will be looked after again.
                continue

    async def _revive(self, losses: int) -> None:
        """Initialize after that many losses; whether there are more by now, the next look has told."""
        driver = self.driver
        await driver.revive()
        for cntlid in sorted(driver.functions):
            await provision.bring_online(driver, cntlid, at_once=True)
        await do(self._up, losses)
        if driver.functions:
            self.alarm.count()
