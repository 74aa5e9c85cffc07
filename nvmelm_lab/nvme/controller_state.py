"""The state of a controller as it travels from source to destination: which I/O queues it has, where they
lie in host memory, and how far each has got.  Packing and unpacking only; what a controller makes of a
state is not decided here.

Source: Base 2.1, 5.1.17, Figures 358 to 361.
"""

from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from nvmelm_lab.errors import InputError
from nvmelm_lab.nvme.fields import one_less

HEADER_BYTES = 48
"""Size of the header, which says how much follows: read this much first, then the rest."""

_HEADER = Struct("<HB13x")
_SIZE_BYTES = 16
_INNER = Struct("<HHH2x")
_SQ = Struct("<QHHHHHH4x")
_CQ = Struct("<QHHHHI4x")

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class SubmissionQueueState:
    """One I/O submission queue.  `entries` is its plain size (QSIZE + 1); `head` the slot to be fetched
    next; `tail` the last value of its doorbell; `priority` QPRIO; `contiguous` PC.  Figure 360.
    """

    qid: int
    cqid: int
    prp1: int
    entries: int
    head: int
    tail: int
    priority: int = 0
    contiguous: bool = True


@dataclass(frozen=True, slots=True)
class CompletionQueueState:
    """One I/O completion queue.  `entries` is its plain size (QSIZE + 1); `head` the last value of its
    doorbell; `tail` the slot to be filled next; `slot0_phase` the phase tag that slot 0 now holds (S0PT),
    which is not the phase of the next entry; `vector` IV; `interrupts` IEN; `contiguous` PC.  Figure 361.
    """

    qid: int
    prp1: int
    entries: int
    head: int
    tail: int
    slot0_phase: int
    vector: int = 0
    interrupts: bool = True
    contiguous: bool = True


@dataclass(frozen=True, slots=True)
class QueueStates:
    """The NVMe Controller State: all I/O queues, each list in ascending order of QID.  Figure 359."""

    submission: tuple[SubmissionQueueState, ...] = ()
    completion: tuple[CompletionQueueState, ...] = ()


@dataclass(frozen=True, slots=True)
class ControllerState:
    """A whole controller state.  `suspended` (CSATTR.CP): the controller was suspended all the while it
    was read, so the parts fit together.  `queues` is None when no NVMe Controller State was asked for.
    `vendor_data` is a whole number of dwords.  Figure 358.
    """

    suspended: bool
    queues: QueueStates | None
    vendor_data: bytes = b""


class StatedSizes(NamedTuple):
    """What a header says of the parts behind it, in bytes."""

    queues: int
    vendor_data: int

    @property
    def total(self) -> int:
        """Size of the whole controller state, header included."""
        return HEADER_BYTES + self.queues + self.vendor_data


def stated_sizes(data: Buffer) -> StatedSizes:
    """What the first 48 bytes of a controller state say of its size.  InputError when there are fewer, or
    when they are of a version that the kit does not know.
    """
    if len(data) < HEADER_BYTES:
        raise InputError(f"controller state of {len(data)} bytes: its header alone has {HEADER_BYTES}")
    version, _ = _HEADER.unpack_from(data)
    if version != 0:
        raise InputError(f"controller state of version {version}: must be version 0")
    nvmecss = int.from_bytes(data[_SIZE_BYTES : 2 * _SIZE_BYTES], "little")
    vss = int.from_bytes(data[2 * _SIZE_BYTES : 3 * _SIZE_BYTES], "little")
    return StatedSizes(4 * nvmecss, 4 * vss)


def pack_controller_state(state: ControllerState) -> bytes:
    """The bytes of `state`.  InputError when a value does not fit its field, or the vendor data is not a
    whole number of dwords.
    """
    if len(state.vendor_data) % 4:
        raise InputError(f"vendor data of {len(state.vendor_data)} bytes: must be a multiple of 4")
    queues = b"" if state.queues is None else _pack_queues(state.queues)
    return b"".join(
        (
            _HEADER.pack(0, state.suspended),
            (len(queues) // 4).to_bytes(_SIZE_BYTES, "little"),
            (len(state.vendor_data) // 4).to_bytes(_SIZE_BYTES, "little"),
            queues,
            state.vendor_data,
        )
    )


def unpack_controller_state(data: Buffer) -> ControllerState:
    """The state that `data` holds; bytes beyond the stated size are ignored, as a Migration Receive may
    return such.  InputError, saying what is wrong, when `data` is no controller state of version 0.
    """
    sizes = stated_sizes(data)
    if len(data) < sizes.total:
        raise InputError(f"controller state of {len(data)} bytes: its header says {sizes.total}")
    queues_end = HEADER_BYTES + sizes.queues
    return ControllerState(
        suspended=bool(data[2] & 1),
        queues=_unpack_queues(data[HEADER_BYTES:queues_end]) if sizes.queues else None,
        vendor_data=bytes(data[queues_end : sizes.total]),
    )


def _pack_queues(queues: QueueStates) -> bytes:
    parts = [_INNER.pack(0, len(queues.submission), len(queues.completion))]
    for sq in queues.submission:
        attributes = _fit("priority", sq.priority, 2) << 1 | sq.contiguous
        parts.append(
            _SQ.pack(
                _fit("PRP1", sq.prp1, 64),
                one_less("entries", sq.entries, 1 << 16),
                _fit("QID", sq.qid, 16),
                _fit("CQID", sq.cqid, 16),
                attributes,
                _fit("head", sq.head, 16),
                _fit("tail", sq.tail, 16),
            )
        )
    for cq in queues.completion:
        attributes = _fit("vector", cq.vector, 16) << 16
        attributes |= _fit("slot0_phase", cq.slot0_phase, 1) << 2 | cq.interrupts << 1 | cq.contiguous
        parts.append(
            _CQ.pack(
                _fit("PRP1", cq.prp1, 64),
                one_less("entries", cq.entries, 1 << 16),
                _fit("QID", cq.qid, 16),
                _fit("head", cq.head, 16),
                _fit("tail", cq.tail, 16),
                attributes,
            )
        )
    return b"".join(parts)


def _fit(name: str, value: int, bits: int) -> int:
    if not (isinstance(value, int) and 0 <= value < 1 << bits):
        raise InputError(f"{name} {value} of a queue state: must be 0 to {(1 << bits) - 1}")
    return value


def _unpack_queues(data: Buffer) -> QueueStates:
    if len(data) < _INNER.size:
        raise InputError(f"NVMe Controller State of {len(data)} bytes: must be at least {_INNER.size}")
    version, sqs, cqs = _INNER.unpack_from(data)
    if version != 0:
        raise InputError(f"NVMe Controller State of version {version}: must be version 0")
    cqs_at = _INNER.size + sqs * _SQ.size
    end = cqs_at + cqs * _CQ.size
    if end != len(data):
        raise InputError(
            f"NVMe Controller State of {len(data)} bytes: "
            f"{sqs} submission and {cqs} completion queues need {end}"
        )
    submission = tuple(_submission(*each) for each in _SQ.iter_unpack(data[_INNER.size : cqs_at]))
    completion = tuple(_completion(*each) for each in _CQ.iter_unpack(data[cqs_at:]))
    for kind, states in (("submission", submission), ("completion", completion)):
        _check_list(kind, states)
    return QueueStates(submission, completion)


def _submission(
    prp1: int, qsize: int, qid: int, cqid: int, attributes: int, head: int, tail: int
) -> SubmissionQueueState:
    return SubmissionQueueState(
        qid, cqid, prp1, qsize + 1, head, tail, attributes >> 1 & 3, bool(attributes & 1)
    )


def _completion(
    prp1: int, qsize: int, qid: int, head: int, tail: int, attributes: int
) -> CompletionQueueState:
    return CompletionQueueState(
        qid,
        prp1,
        qsize + 1,
        head,
        tail,
        slot0_phase=attributes >> 2 & 1,
        vector=attributes >> 16,
        interrupts=bool(attributes & 2),
        contiguous=bool(attributes & 1),
    )


def _check_list(
    kind: str, states: tuple[SubmissionQueueState, ...] | tuple[CompletionQueueState, ...]
) -> None:
    last = 0
    for state in states:
        if state.qid <= last:
            raise InputError(
                f"{kind} queue {state.qid} listed after {last}: "
                "I/O queues start at 1 and must be listed in ascending order"
            )
        for name, slot in (("head", state.head), ("tail", state.tail)):
            if slot >= state.entries:
                raise InputError(f"{name} {slot} of {kind} queue {state.qid}: it has {state.entries} slots")
        last = state.qid
