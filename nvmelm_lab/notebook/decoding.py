"""Bytes to meaning and back, in a notebook."""

from nvmelm_lab.errors import InputError
from nvmelm_lab.notebook.names import known_or_near
from nvmelm_lab.nvme import LAYOUTS
from nvmelm_lab.views.decoder import KINDS, Structure, kind_of, structure
from nvmelm_lab.views.decoder_widget import Decoder
from nvmelm_lab.views.player import Player


def decode(what: str | Player, kind: str | None = None, at: int | str | None = None) -> Structure:
    """Some bytes, field by field: what each means, and where the standard says so.

    what
        Hex digits, or a player: then the SQE, CQE or MQE that one of its steps shows.
    kind
        What hex digits are taken for: "I/O SQE", "admin SQE", "CQE", "MQE", "Controller State", "LBA Status", or the
        name of any layout of the kit.
    at
        The step of the player, from 0 or by words of its sentence; where it was opened if None.

    InputError for a kind that there is not, for bytes that cannot be of that kind, and for a step without bytes.
    """
    if isinstance(what, Player):
        name, digits = what.bytes_at(at)
        return structure(kind_of(name), digits)
    if kind is None:
        raise InputError(f"bytes alone do not say what they are; give one of {', '.join(KINDS)} as the kind")
    return structure(known_or_near("kind", kind, (*KINDS, *LAYOUTS)), what)


def decoder(
    kind: str | None = None, what: str | Player | None = None, at: int | str | None = None
) -> Decoder:
    """The same to play with: edit a field and the bytes follow, edit the bytes and the fields follow.

    It begins with an example of the kind (an MQE if None), or with what `decode` takes.  InputError as for `decode`.
    """
    if what is not None:
        return Decoder(decode(what, kind, at))
    name = known_or_near("kind", kind or "MQE", KINDS)
    return Decoder(Structure(name, KINDS[name].example))
