"""What /metrics tells, for Prometheus: counters and durations of this process, and a look at the house at each scrape.

No label holds a name, an id or a word of anybody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.signs import Signs
from domain.notices import Lane
from domain.verbs import Verb
from storage.gauges import Gauges, Waiting

HANDLER_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
UNIT_BUCKETS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """Of one process; the registry is its own, so that several may live in one test."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` counts seconds, and only goes forward."""
        self._clock = clock
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._house = House()
        self.registry.register(self._house)
        self._messages = Counter(
            "lianqi_messages",
            "Messages by what became of a try: sent, failed (given up), uncertain (left to people), retried.",
            ("channel", "lane", "outcome"),
            registry=self.registry,
        )
        self._handlers = Histogram(
            "lianqi_handler_seconds",
            "How long a command took within its transaction.",
            ("verb",),
            buckets=HANDLER_BUCKETS,
            registry=self.registry,
        )
        self._units = Histogram(
            "lianqi_storage_unit_seconds",
            "How long a unit of storage took, from asking to the durable commit; kind is write or read.",
            ("kind",),
            buckets=UNIT_BUCKETS,
            registry=self.registry,
        )

    def message(self, channel: str, lane: int, outcome: str) -> None:
        """A try to send has ended."""
        self._messages.labels(channel, Lane(lane).name.lower(), outcome).inc()

    @contextmanager
    def handling(self, verb: Verb) -> Iterator[None]:
        """Measure what a command does."""
        begun = self._clock()
        try:
            yield
        finally:
            self._handlers.labels(verb.value).observe(self._clock() - begun)

    @contextmanager
    def unit(self, kind: str) -> Iterator[None]:
        """Measure a unit of storage."""
        begun = self._clock()
        try:
            yield
        finally:
            self._units.labels(kind).observe(self._clock() - begun)

    def told(self, gauges: Gauges | None, view: "View") -> bytes:
        """All of it in Prometheus' text; without `gauges`, as storage cannot read, what this process knows alone."""
        self._house.families = list(_families(gauges, view))
        return generate_latest(self.registry)


class View:
    """What a process knows besides storage at the moment of a scrape."""

    def __init__(
        self, signs: Signs, channels: Iterable[str], leases: Mapping[str, bool], civil: datetime, machine: datetime
    ) -> None:
        self.signs = signs
        self.channels = list(channels)
        self.leases = dict(leases)
        self.civil = civil
        self.machine = machine


class House(Collector):
    """Hands on what was found at the scrape."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """The families of the last look."""
        return self.families

    def describe(self) -> Iterable[Metric]:
        """Nothing is promised before the first look."""
        return ()


def _families(gauges: Gauges | None, view: View) -> Iterator[Metric]:
    yield _gauge("lianqi_storage_up", "1 where storage could be read just now.", [((), float(gauges is not None))])
    holds = [((name,), float(held)) for name, held in sorted(view.leases.items())]
    yield _gauge("lianqi_lease_held", "1 where this process alone does this work.", holds, "lease")
    yield from _signs(gauges, view)
    if gauges is not None:
        yield from _inbox(gauges, view)
        yield from _outbox(gauges, view)
        yield from _matters(gauges)


def _signs(gauges: Gauges | None, view: View) -> Iterator[Metric]:
    """The newest that any process has seen of each channel."""
    kept = gauges.pulses if gauges else {}
    pulses = {name: [view.signs.of(name), *([kept[name]] if name in kept else [])] for name in view.channels}
    heard = {name: [pulse.heard_at for pulse in found if pulse.heard_at] for name, found in pulses.items()}
    left = {name: [pulse.delivered_at for pulse in found if pulse.delivered_at] for name, found in pulses.items()}
    yield _gauge(
        "lianqi_intake_age_seconds",
        "Seconds since the platform last answered a poll, or brought a frame or a call.",
        [((name,), _age(max(found), view.machine)) for name, found in heard.items() if found],
        "channel",
    )
    yield _gauge(
        "lianqi_delivery_age_seconds",
        "Seconds since a message last left on the channel.",
        [((name,), _age(max(found), view.machine)) for name, found in left.items() if found],
        "channel",
    )


def _inbox(gauges: Gauges, view: View) -> Iterator[Metric]:
    known: dict[str, Waiting] = {name: Waiting(name, 0, None) for name in view.channels}
    known |= {waiting.channel: waiting for waiting in gauges.inbox}
    yield _gauge(
        "lianqi_inbox_waiting",
        "Updates that came in and are not handled.",
        [((name,), float(waiting.count)) for name, waiting in known.items()],
        "channel",
    )
    yield _gauge(
        "lianqi_inbox_oldest_age_seconds",
        "Seconds that the oldest of them has waited; 0 where none waits.",
        [((name,), _age(waiting.oldest, view.civil)) for name, waiting in known.items()],
        "channel",
    )
    dead = [((name,), float(gauges.inbox_dead.get(name, 0))) for name in known]
    yield _gauge("lianqi_inbox_dead", "Updates set aside after five tries.", dead, "channel")


def _outbox(gauges: Gauges, view: View) -> Iterator[Metric]:
    rows = [((each.channel, Lane(each.lane).name.lower(), each.state), each) for each in gauges.outbox]
    labels = ("channel", "lane", "state")
    waiting = [(name, float(each.count)) for name, each in rows]
    yield _gauge("lianqi_outbox_waiting", "Messages owed: pending, or on their way (sending).", waiting, *labels)
    ages: dict[str, float] = dict.fromkeys(view.channels, 0.0)
    for each in gauges.outbox:
        ages[each.channel] = max(ages.get(each.channel, 0.0), _age(each.oldest, view.civil))
    yield _gauge(
        "lianqi_outbox_oldest_age_seconds",
        "Seconds since the hour of the oldest message that may leave; 0 where none waits.",
        [((name,), age) for name, age in ages.items()],
        "channel",
    )
    missed = [((each.channel, Lane(each.lane).name.lower(), each.state), float(each.count)) for each in gauges.missed]
    told = "Messages that did not arrive (dead), or not for sure (uncertain)."
    yield _gauge("lianqi_outbox_undelivered", told, missed, *labels)
    silent = [(name, 1.0) for name in gauges.silences]
    yield _gauge("lianqi_channel_silent", "1 where the office was told of a silence.", silent, "channel", "kind")


def _matters(gauges: Gauges) -> Iterator[Metric]:
    by_status = [((status,), float(count)) for status, count in sorted(gauges.appeals.items())]
    yield _gauge("lianqi_appeals_open", "Open appeals, and those that wait for the firm's word.", by_status, "status")
    yield _gauge("lianqi_appeals_overdue", "Open appeals past their date.", [((), float(gauges.overdue))])


def _gauge(name: str, told: str, values: Iterable[tuple[tuple[str, ...], float]], *labels: str) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for named, value in values:
        family.add_metric(named, value)
    return family


def _age(moment: datetime | None, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds()) if moment else 0.0
