"""What a subject adds to a cache that emits KV events."""

from radixcheck.spec.events.event_values import Event


class Emitting:
    """Has the list that the cache adds its events to."""

    sink: list[Event]

    def take_events(self) -> list[Event]:
        """Return the events since the last call."""
        taken = self.sink[:]
        self.sink.clear()
        return taken
