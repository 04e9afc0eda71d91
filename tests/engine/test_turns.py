"""Whose turn it is, and what a flood leaves to others."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.reserve import BURST, LATELY, Kept, Reserve, kept
from engine.turns import CREDIT, Ticket, Turns


class World:
    """Communities at so many hands, and a clock that is turned by hand."""

    def __init__(self, hands: int) -> None:
        self.now = 0.0
        self.turns = Turns(hands, lambda: self.now)
        self.begun: list[Ticket] = []

    def ask(self, community: str, count: int = 1, priority: int = 1, line: str = "") -> None:
        for _ in range(count):
            self.turns.enter(Ticket(community, "", priority, line, lambda: True))

    def begin(self) -> str:
        """Lets in all who may; their communities."""
        found = []
        while (ticket := self.turns.next()) is not None:
            self.begun.append(ticket)
            found.append(ticket.community)
        return "".join(found)

    def end(self, community: str) -> None:
        ticket = next(one for one in self.begun if one.community == community)
        self.begun.remove(ticket)
        self.turns.end(ticket)

    def serve(self, seconds: float = 10.0) -> str:
        """All that are in hand are done after so long; who begins in their place."""
        begun, self.begun = self.begun, []
        self.now += seconds
        for ticket in begun:
            self.turns.end(ticket)
        return self.begin()

    def held(self) -> Counter[str]:
        return Counter(ticket.community for ticket in self.begun)

    def is_used(self, communities: str, rounds: int = 12) -> None:
        """Each of them has a hand for a while; then nobody has."""
        for _ in range(rounds):
            for community in communities:
                self.ask(community)
            self.serve()
        self.serve()


def test_what_is_urgent_goes_first_and_communities_take_turns_behind_it() -> None:
    world = World(9)
    for community, priority in (("a", 9), ("a", 9), ("x", 5), ("b", 9), ("c", 9)):
        world.ask(community, priority=priority)
    assert world.begin() == "xabca"
    assert len(world.turns) == 0 == world.turns.of("a", "")


def test_who_asks_for_little_goes_before_a_flood_and_may_come_twice() -> None:
    world = World(1)
    world.ask("f", 400)
    assert "".join(world.serve() or "f" for _ in range(2 * CREDIT)) == "f" * 2 * CREDIT
    world.ask("a", 2)
    assert [world.serve() for _ in range(3)] == ["a", "a", "f"]
    world.ask("b")
    world.ask("a", CREDIT + 20)
    assert world.serve() == "b"
    # What it had let pass is used up in the end, and then it takes turns with the flood.
    assert "f" in [world.serve() for _ in range(CREDIT + 2)]
    assert "".join(world.serve() for _ in range(6)) in ("afafaf", "fafafa")


def test_what_each_has_had_is_forgotten_when_nobody_waits() -> None:
    world = World(1)
    for _ in range(20):
        world.ask("a")
        world.serve()
    world.serve()
    world.ask("x")
    world.begin()
    world.ask("a")
    world.ask("b")
    assert [world.serve(), world.serve()] == ["a", "b"]  # and not b before a


def test_a_flood_leaves_hands_free_for_those_who_asked_lately() -> None:
    world = World(8)
    world.is_used("abc")
    world.ask("f", 100)
    world.begin()
    for _ in range(5):
        world.serve()
    flood = world.held()["f"]
    assert flood == 8 - kept(8, 3 * 0.6) < 8
    world.ask("a")
    assert world.begin() == "a"  # at once


def test_a_community_has_all_hands_while_no_other_has_asked_lately() -> None:
    world = World(8)
    world.ask("f", 100)
    assert world.begin() == "f" * 8
    world = World(8)
    world.is_used("abc")
    world.now += 10 * LATELY
    world.ask("f", 100)
    assert world.begin() == "f" * 8 == world.serve()


def test_its_own_use_keeps_nothing_from_a_community() -> None:
    world = World(4)
    world.is_used("fff")
    world.ask("f", 100)
    assert world.begin() == "ffff" == world.serve()


def test_of_one_hand_nothing_is_kept() -> None:
    world = World(1)
    world.is_used("a")
    world.ask("f", 20)
    assert [world.begin(), world.serve(), world.serve()] == ["f"] * 3


def test_several_floods_leave_the_same_hands_free_together_and_share_the_others() -> None:
    world = World(8)
    world.is_used("abc")
    for flood in "fgh":
        world.ask(flood, 100)
    world.begin()
    for _ in range(8):
        world.serve()
    held = world.held()
    assert 0 < held.total() < 8
    assert max(held.values()) - min(held[flood] for flood in "fgh") <= 1


def test_two_floods_alone_use_all_hands() -> None:
    world = World(8)
    world.ask("f", 100)
    world.ask("g", 100)
    world.begin()
    for _ in range(20):
        world.serve()
        assert world.held().total() == 8


def test_a_flood_of_what_is_less_urgent_does_not_hold_up_what_is_more() -> None:
    world = World(4)
    world.is_used("ab", 4)
    world.ask("f", 100, priority=3)
    world.begin()
    world.serve()
    world.ask("a", priority=2)
    assert world.held()["f"] < 4 and world.begin() == "a"
    # Nor does a flood of what is more urgent take all hands from what is less.
    world = World(4)
    world.is_used("ab", 4)
    world.ask("f", 100, priority=2)
    world.begin()
    world.serve()
    world.ask("a", priority=3)
    assert world.begin() == "a"


def test_a_flood_gets_hands_however_long_others_use_as_much_as_they_can() -> None:
    world = World(2)
    world.is_used("a")
    world.ask("f", 1000)
    begun = ""
    for _ in range(60):
        world.ask("a")
        world.serve()
        begun += "".join(ticket.community for ticket in world.begun)
    assert begun.count("f") >= 50


def test_what_a_community_may_ask_for_at_once_is_never_held_back() -> None:
    world = World(BURST)
    world.is_used("abc")
    world.ask("f", BURST)
    assert world.begin() == "f" * BURST


def test_a_busy_line_keeps_its_hand_for_others() -> None:
    world = World(2)
    world.ask("a", 2, line="a")
    assert world.begin() == "a"
    world.ask("b")
    assert world.begin() == "b"
    world.end("a")
    assert world.begin() == "a"


@pytest.mark.parametrize("hands", [1, 2, 3, 4, 8, 16, 64, 1000])
def test_some_hand_is_always_left_to_floods(hands: int) -> None:
    for percent in range(0, 200):
        assert 0 <= kept(hands, hands * percent / 100) <= max(0, hands - 1)


def test_how_many_are_kept_follows_from_hands_and_use() -> None:
    assert [kept(4, used) for used in (0.0, 0.01, 1.2, 2.0, 2.8, 3.4)] == [0, 0, 2, 2, 0, 0]
    assert [kept(16, used) for used in (4.8, 8.0, 11.2, 13.6)] == [1, 1, 4, 0]
    # Others who fill all hands by themselves cannot be helped by keeping some.
    assert kept(8, 8.0) == kept(8, 20.0) == 0


def test_use_is_forgotten_after_a_while() -> None:
    reserve = Reserve()
    reserve.look(0.0, 4, {}, {})
    reserve.look(60.0, 4, {"a": 2}, {})
    assert reserve.used["a"] > 1
    reserve.look(60.0 + LATELY, 4, {}, {})
    assert 0.3 < reserve.used["a"] < 0.7
    assert reserve.look(60.0 + 20 * LATELY, 4, {}, {}) == Kept()
    assert reserve.used == {}


def test_nobody_is_held_back_to_less_than_the_busiest_of_the_others() -> None:
    reserve = Reserve()
    reserve.look(0.0, 8, {}, {})
    found = reserve.look(100.0, 8, {"a": 3, "f": 4}, {"f": 100})
    assert found.most > 4 / 3 * reserve.used["a"] and not found.spent
    assert not found.holds_back("f", 2, 100, 1)
    found = reserve.look(1000.0, 8, {"a": 1, "f": 6}, {"f": 100})
    assert found.spent == {"f"} and found.holds_back("f", 0, 100, found.hands)
    assert not found.holds_back("f", 0, 100, found.hands + 1)
    assert not found.holds_back("a", 2, 3, 0)
