"""ServerInformation: what a server says of itself and its limits (RETS 1.7.2 §15, where it is deprecated)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.rets.answer import Answer
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name, read_frame
from shared.rets.mend import Mender
from shared.rets.session import RetsSession

MAX_PARAMETERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value; ``resource`` and ``class_name`` are "" where it is of all."""

    name: str
    value: str
    resource: str = ""
    class_name: str = ""


class ServerInformationReader(Frame):
    """Reads one answer. Afterwards ``parameters`` are there in order."""

    def __init__(self) -> None:
        super().__init__(frozenset({"Parameter"}))
        self._attributes: dict[str, str] = {}
        self.parameters: list[Parameter] = []

    def read(self, chunks: Iterable[bytes], mender: Mender) -> tuple[Parameter, ...]:
        """The whole answer. Raises RetsTruncatedError, RetsParseError."""
        read_frame(chunks, self, mender)
        return tuple(self.parameters)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Keep what the parameter is called."""
        super().start(name, attributes)
        if local_name(name) == "Parameter":
            self._attributes = {key.lower(): value.strip() for key, value in attributes.items()}

    def text(self, _: str, text: str) -> None:
        """A parameter's value."""
        if len(self.parameters) >= MAX_PARAMETERS:
            raise RetsParseError(f"the server tells more than {MAX_PARAMETERS} things of itself")
        told = self._attributes
        self.parameters.append(
            Parameter(told.get("name", ""), text.strip(), told.get("resource", ""), told.get("class", ""))
        )


def server_information(session: RetsSession, resource: str = "", class_name: str = "") -> tuple[Parameter, ...]:
    """What the server says, of all or of one class; nothing where it does not offer that. Raises as
    ``RetsSession.ask`` does."""
    session.login()
    capabilities = session.capabilities
    if capabilities is None or capabilities.url("ServerInformation") is None:
        return ()
    arguments = {"Resource": resource, "Class": class_name}

    def read(answer: Answer) -> tuple[Parameter, ...]:
        reader = ServerInformationReader()
        found = reader.read(answer.chunks(), session.mender())
        answer.reply = reader.reply
        return found

    return session.ask("ServerInformation", {name: value for name, value in arguments.items() if value}, read)
