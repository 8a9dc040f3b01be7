"""The workers of the place that is chosen: opens them for whoever computes there, in threads of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from PySide6.QtCore import QObject

from app.bridge.file_desk import notice_of
from app.bridge.mailbox import Mailbox
from app.bridge.worker import Task, Worker
from app.state.notice import Notice
from app.state.tune.place import Kind, Place, PlaceChoice, WorkerSeen
from core.engine.stop import Stop
from core.engine.tasks import Workplace

Open = Callable[[Place, Stop], AbstractContextManager["Workplace"]]
Answer = Callable[[list[WorkerSeen], "Notice | None"], None]
FAILED = "The workers could not be reached."


class Crew(QObject):
    """Lives in the window's thread and never waits.

    One thread waits for sweeps and batches elsewhere, so that the computing thread is free; another one tries places.
    opened: a workplace for a place, by default a real cluster. Whoever closes the window calls `close` first.
    """

    def __init__(self, parent: QObject | None = None, opened: Open | None = None) -> None:
        super().__init__(parent)
        self.choice = PlaceChoice()
        self._opened = opened or cluster_at
        self._mailbox = Mailbox(self)
        self._waiter, self._trier = Worker("cluster", self), Worker("try", self)
        self._stops: set[Stop] = set()
        self._trying: Stop | None = None
        self._closed = False

    @property
    def place(self) -> Place:
        return self.choice.place

    @property
    def trying(self) -> bool:
        return self._trying is not None

    def submit(self, task: Task) -> None:
        """Do something in the thread that waits for workers, after what is done there."""
        self._waiter.submit(task)

    @contextmanager
    def at_work(self, place: Place, stop: Stop) -> Iterator[Workplace]:
        """The workers of a place elsewhere, gone at the end. Not in the window's thread. Raises JobError."""
        self._stops.add(stop)
        try:
            if self._closed:
                stop.discard()
            with self._opened(place, stop) as found:
                yield found
        finally:
            self._stops.discard(stop)

    def ask(self, place: Place, answer: Answer) -> None:
        """Find out who is at a place; of several questions the last one is answered."""
        self.give_up_asking()
        self._trying = Stop()
        self._trier.submit(partial(self._ask, self._trying, place, answer))

    def give_up_asking(self) -> None:
        """Nobody waits for the answer any more."""
        if self._trying is not None:
            self._trying.discard()
            self._trying = None

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The threads, for whoever waits for their end."""
        return self._waiter, self._trier

    def close(self) -> None:
        """End what is done by workers; the threads are told to leave by whoever waits for them."""
        self._closed = True
        self.give_up_asking()
        for stop in list(self._stops):
            stop.discard()
        self._mailbox.close()

    def _ask(self, stop: Stop, place: Place, answer: Answer) -> None:
        found: list[WorkerSeen] = []
        trouble: Notice | None = None
        try:
            if not stop.ending:
                with self.at_work(place, stop) as workplace:
                    found = seen(workplace)
        except Exception as error:
            trouble = notice_of(error, FAILED)
        self._mailbox.post(partial(self._answered, stop, found, trouble, answer))

    def _answered(self, stop: Stop, found: list[WorkerSeen], trouble: Notice | None, answer: Answer) -> None:
        if stop is self._trying:
            self._trying = None
            answer(found, trouble)


@contextmanager
def cluster_at(place: Place, stop: Stop) -> Iterator[Workplace]:
    """A real cluster. Raises JobError."""
    from core.engine.cluster import joined_cluster
    from core.engine.cluster_link import tls_of
    from core.engine.cluster_local import own_cluster

    if place.kind is Kind.WORKERS:
        cluster = own_cluster(place.workers, stop=stop)
    else:
        cluster = joined_cluster(place.address, tls_of(place.ca, place.cert, place.key), stop)
    with cluster as found:
        yield found


def seen(workplace: Workplace) -> list[WorkerSeen]:
    """Who works there."""
    about, threads = getattr(workplace, "workers", dict)(), getattr(workplace, "threads", 0)
    return [
        WorkerSeen(address, threads or each["threads"], each["gpu"], each["dds-viewer"], each["torch"])
        for address, each in about.items()
    ]
