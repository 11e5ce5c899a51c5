"""The drain: what no service could handle is kept, but for inventories of which nothing follows any more."""

from __future__ import annotations

from services.drain import Drain
from shared.messages import InventoryTaken
from shared.outbox import Outbox
from shared.transport.memory import MemoryTransport
from tests.contract.stores import FEED, Kit

QUEUE = InventoryTaken.QUEUE


def inventory(at: int, resource: str = "property") -> InventoryTaken:
    return InventoryTaken(
        feed=FEED, resource=resource, observed_at=at, server_date=None, after=None, upto=None, entries=[], count=0,
        part=1, parts=1,
    )  # fmt: skip


def parked(kit: Kit, *inventories: InventoryTaken) -> set[tuple[str, int]]:
    """What is in quarantine after these were parked."""
    transport = MemoryTransport()
    for taken in inventories:
        Outbox(transport).publish(taken, "run")
        delivery = transport.receive([QUEUE], 0)
        assert delivery is not None
        transport.reject(delivery, "delivered too often")
    drain = Drain(transport, kit.store, [QUEUE])
    while drain.run_once(0):
        pass
    assert not any(map(any, transport.depths().values()))
    return {(item.resource, item.observed_at) for item in kit.store.quarantine.list(FEED)}


def test_an_inventory_nobody_could_handle_is_kept_as_of_when_it_was_taken(kit: Kit) -> None:
    kit.inventory(5)
    assert parked(kit, inventory(5), inventory(9)) == {("property", 5), ("property", 9)}


def test_one_that_a_newer_inventory_has_overtaken_is_not(kit: Kit) -> None:
    kit.inventory(5)
    assert parked(kit, inventory(4), inventory(4, "member")) == {("member", 4)}
