"""A virtual machine: guest memory, virtual processors that pause and start, and a function of an SSD."""

from __future__ import annotations

from nvmelm_lab.engine import Engine, Gate, Kind, do
from nvmelm_lab.host.buffers import Pages
from nvmelm_lab.host.port import Door, Port
from nvmelm_lab.host.throttle import Throttle
from nvmelm_lab.memory import AddressSpace


class VirtualMachine:
    """The VM called `name`; it runs in `memory`, and `port` leads to its controller.

    processors
        Gate that is closed while its virtual processors stand still.
    throttle
        What the VMM takes of their time.
    """

    def __init__(self, engine: Engine, name: str, memory: AddressSpace) -> None:
        self.engine = engine
        self.name = name
        self.port = Port(memory)
        self.pages = Pages(memory)
        self.processors = Gate(engine, f"processors of {name}")
        self.throttle = Throttle()
        gate_key = self.processors.key
        self._pause = Kind(
            "pause",
            lambda _: self._stand_still(),
            takes=5_000,
            touches=lambda _: ((), (gate_key,)),
            label=lambda _: f"the VMM pauses {name}",
        )
        self._start = Kind(
            "start",
            self._go_on,
            takes=5_000,
            touches=lambda _: ((), (gate_key,)),
            label=lambda _: f"the VMM starts {name}",
        )
        # It changes when the guest takes its next step, never what a step does: no cell is touched.
        self._slow_down = Kind(
            "slow down",
            self._take_time,
            takes=1_000,
            label=lambda percent: f"the VMM takes {percent} % of the processors' time from {name}",
        )

    @property
    def memory(self) -> AddressSpace:
        """The memory that it runs in now."""
        return self.port.space

    async def pause(self) -> None:
        """Let the virtual processors stand still; commands that are in flight go on."""
        await do(self._pause)

    async def start(self, controller: Door | None = None, memory: AddressSpace | None = None) -> None:
        """Let the virtual processors run, on another host if `controller` and `memory` are given.

        Interrupts that came while nobody listened are replayed: completions that lie on the rings are noticed.
        """
        await do(self._start, (controller, memory))

    async def slow_down(self, percent: int) -> None:
        """Take `percent` of the virtual processors' time away, 0 for none; a start on another host gives it back."""
        await do(self._slow_down, percent)

    def _take_time(self, percent: int) -> None:
        self.throttle.set(percent, self.engine.now)
        self.engine.emit(("slowed", self.name, percent))

    def _stand_still(self) -> None:
        self.processors.close()
        self.engine.emit(("vm", self.name, "paused"))

    def _go_on(self, where: tuple[Door | None, AddressSpace | None]) -> None:
        controller, memory = where
        if memory is not None:
            self.port.move_to(memory)
            self.pages.space = memory
        if controller is not None:
            self.port.plug(controller)
            self.port.replay_interrupts()
            if self.throttle.percent:
                self._take_time(0)
        self.processors.open()
        self.engine.emit(("vm", self.name, "running", "" if controller is None else controller.name))
