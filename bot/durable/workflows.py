"""Accepted links on their durable way: what is begun survives the process that began it.

    digest_link   look → [say "reading"] → fetch → extract → make_digest → show      queue links-<platform>
    make_digest   digest → keep                                                      queue digests
    take_back     remove what was said                                               queue links-<platform>
    morning       ready? → choose → say the list → a show_digest for each            queue links-<platform>
    tell_gone     keep → say that a feed was given up                                queue links-<platform>
    digest_entry  fetch → extract → make_digest → note, ahead of the morning         queue entries

Every arrow is a checkpoint (DBOS): a killed process's work goes on, in another or a later one,
behind the last finished step. `digest_link` runs once a delivery, because the delivery's id is
the workflow's; `make_digest` runs once for equal texts wanted in equal languages at one time,
whoever asked, because the queue lets nobody in twice with the same key.

What workflows remember is small and says nothing of people: ids, addresses, the digest. Texts
and pages lie in their own stores.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import date, datetime
from typing import Any

from dbos import (
    DBOS,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
)

from bot.chats import Chat, Trouble
from bot.daily import Daily
from bot.delivering import Outbox
from bot.durable.links import LinkWork, making_of
from bot.durable.mornings import LAST, MorningWork
from bot.durable.steps import Plain, Steps, unfolded
from bot.durable.store import WorkflowStore
from bot.making import Maker
from bot.presence import Standing
from bot.tracing import about
from core.announcements import gone_id
from core.errors import (
    ChatFailed,
    ChatUnavailable,
    DigestError,
    StorageUnavailable,
    as_plain,
)
from core.feed import Entry, Source, Subscription
from core.places import Delivery
from core.ports import Deliveries
from core.settings import OutputLanguage, QueueSettings

log = logging.getLogger(__name__)

# The shape of the workflows. Bump it when a step is added, taken away or moved: what an older
# version began is then finished by processes of that version only, so drain the queue first.
VERSION = "1"
DIGESTS = "digests"
ENTRIES = "entries"
# So many entries a process reads at once; more would only wait for the model.
_ENTRIES_AT_ONCE = 2
_QUEUEING_SECONDS = 2.0
_ENDING_SECONDS = 0.2
# Nobody waits for what begins by itself; a busy database has more time for it.
_BEGINNING_SECONDS = 30.0
_THREADS = 3
# A process that dies of the same link so often would die of it for ever.
_MOST_RECOVERIES = 200

_STANDING: Mapping[str, Standing] = {
    "ENQUEUED": "going",
    "DELAYED": "going",
    "PENDING": "going",
    "SUCCESS": "answered",
}


class Workflows:
    """One process's share of the work. Open it once a process: the engine underneath is one."""

    def __init__(
        self,
        deliveries: Deliveries,
        maker: Maker,
        chats: Mapping[str, Chat],
        settings: QueueSettings,
        *,
        store: WorkflowStore,
        executor: str,
        daily: Daily | None = None,
    ) -> None:
        self._outbox = Outbox(deliveries, chats, me=executor)
        self._chats = chats
        self._settings = settings
        self._store = store
        self._executor = executor
        self._running: set[asyncio.Task[Any]] = set()
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self.coming = 0  # links that are just being accepted (`bot/receiving.py` counts)
        steps = Steps(busy=lambda: self.coming > 0 or not self._arrived.empty())
        self.connected = steps.connected
        self._link_work = LinkWork(steps, deliveries, maker, self._outbox, self._make)
        self._morning_work = (
            None
            if daily is None
            else MorningWork(steps, self._link_work, maker, daily, self._show_later)
        )

    # --- opening and closing

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Workflows]:
        """Takes part in the work until the block ends; then finishes or hands back, in time."""
        _quiet()
        config: DBOSConfig = {
            "name": "smartdevdigest",
            "system_database_url": self._store.url,
            "dbos_system_schema": self._store.schema,
            "executor_id": self._executor,
            "application_version": VERSION,
            "log_level": logging.getLevelName(logging.getLogger("dbos").getEffectiveLevel()),
            "serializer": DBOSPortableJSONSerializer(),
            "notification_listener_polling_interval_sec": 0.5,
            "use_listen_notify": False,
            # Each is a rival of the loop that answers the platforms; they mostly wait for one lock.
            "max_executor_threads": _THREADS,
        }
        DBOS(config=config)
        self._register()
        names = [_links(platform) for platform in self._platforms()]
        making = [DIGESTS, ENTRIES] if self._settings.digests else []
        DBOS.listen_queues([*names, *making])
        DBOS.launch()  # in this thread: workflows run in the loop that launches
        try:
            for name in names:
                await self._queue(name, self._settings.links)
            if self._settings.digests:
                await self._queue(DIGESTS, self._settings.digests)
                await self._queue(ENTRIES, _ENTRIES_AT_ONCE)
            arrivals = asyncio.create_task(self._queue_arrivals())
            yield self
            # What is not queued in time is kept all the same, and found at the next start.
            with suppress(TimeoutError):
                async with asyncio.timeout(_QUEUEING_SECONDS):
                    await self._arrived.join()
            arrivals.cancel()
        finally:
            await self._close()

    async def _queue(self, name: str, concurrency: int) -> None:
        await DBOS.register_queue_async(
            name, worker_concurrency=concurrency, polling_interval_sec=self._settings.polling
        )

    def _register(self) -> None:
        """The workflows by the names under which they are remembered."""
        kept = DBOS.workflow

        @kept(name="digest_link", max_recovery_attempts=_MOST_RECOVERIES)
        async def digest_link(delivery_id: str) -> None:
            with self._counted(), about(delivery_id):
                await self._link_work.digest(delivery_id)

        @kept(name="make_digest", max_recovery_attempts=_MOST_RECOVERIES)
        async def make_digest(text: str, language: OutputLanguage, again: bool) -> Plain:
            with self._counted(), about(making_of(text)):
                return await self._link_work.make(text, language, again)

        @kept(name="take_back", max_recovery_attempts=_MOST_RECOVERIES)
        async def take_back(delivery_id: str) -> None:
            with self._counted(), about(delivery_id):
                await self._link_work.take_back(delivery_id)

        @kept(name="show_digest", max_recovery_attempts=_MOST_RECOVERIES)
        async def show_digest(delivery_id: str, digest_id: str) -> None:
            with self._counted(), about(delivery_id):
                await self._link_work.show(delivery_id, digest_id)

        @kept(name="morning", max_recovery_attempts=_MOST_RECOVERIES)
        async def morning(subscription_id: str, day: str) -> None:
            with self._counted(), about(subscription_id):
                await self._mornings().morning(subscription_id, day)

        @kept(name="tell_gone", max_recovery_attempts=_MOST_RECOVERIES)
        async def tell_gone(subscription_id: str, source_id: str) -> None:
            with self._counted():
                await self._mornings().tell_gone(subscription_id, source_id)

        @kept(name="digest_entry", max_recovery_attempts=_MOST_RECOVERIES)
        async def digest_entry(entry_id: str, link: str, language: OutputLanguage) -> None:
            with self._counted():
                await self._mornings().digest_entry(entry_id, link, language)

        self._digest_link, self._make_digest, self._take_back = digest_link, make_digest, take_back
        self._morning, self._tell_gone = morning, tell_gone
        self._show_digest, self._digest_entry = show_digest, digest_entry

    def _mornings(self) -> MorningWork:
        if self._morning_work is None:
            raise RuntimeError("this process keeps no subscriptions")
        return self._morning_work

    async def _close(self) -> None:
        """Begins nothing more, finishes what it can in `grace` seconds, leaves the rest begun."""
        loop = asyncio.get_running_loop()
        if self._running:  # most are at their end, and the engine would see it a second later
            await asyncio.wait([*self._running], timeout=_ENDING_SECONDS)
        # It looks once a second whether all is done; where nothing runs, not even that is needed.
        patience = math.ceil(self._settings.grace) + 2 if self._running else 0
        with ThreadPoolExecutor(1) as thread:
            closing = loop.run_in_executor(thread, _destroy, patience)
            await asyncio.wait([closing], timeout=self._settings.grace)
            for task in [*self._running]:
                task.cancel()  # not an outcome: it stays begun, and whoever adopts it goes on
            await closing
        # The engine had made its pool of threads this loop's; it is shut now.
        loop.set_default_executor(ThreadPoolExecutor())

    async def adopt(self, executors: Sequence[str]) -> int:
        """Takes over what these dead processes had begun; how many workflows that is.

        Whoever of several does it first has them: the claim is one statement a workflow.
        """
        handles = await asyncio.to_thread(DBOS._recover_pending_workflows, list(executors))
        return len(handles)

    async def standing(self, deliveries: Sequence[Delivery]) -> Mapping[str, Standing]:
        ids = [delivery.id for delivery in deliveries]
        found = await DBOS.list_workflows_async(
            workflow_ids=ids, load_input=False, load_output=False
        )
        states = {one.workflow_id: _STANDING.get(one.status, "broken") for one in found}
        return {one: states.get(one, "missing") for one in ids}

    async def give_up(self, delivery: Delivery) -> None:
        log.error("delivery %s: its workflow ended without an answer", delivery.id)
        trouble = DigestError(delivery.canonical)
        try:
            await self._outbox.show(delivery.id, Trouble(trouble))
        except ChatUnavailable:
            return  # next time
        except ChatFailed as error:
            log.warning("delivery %s cannot be answered: %s", delivery.id, error)
        await self._link_work.fail(delivery.id, as_plain(trouble))

    async def forget(self, before: datetime, limit: int = 500) -> int:
        """Deletes what is remembered of finished work from before then; how many workflows."""
        found = await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            end_time=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        ids = [one.workflow_id for one in found]
        if ids:
            await DBOS.delete_workflows_async(ids)
        return len(ids)

    # --- the queue, as `bot/receiving.py` knows it

    async def enqueue(self, delivery: Delivery) -> None:
        """Promised work is queued in a moment: whoever promised it need not wait, since it is kept
        already. Twice is once."""
        self._arrived.put_nowait(delivery)

    async def _queue_arrivals(self) -> None:
        while True:
            delivery = await self._arrived.get()
            try:
                with SetWorkflowID(delivery.id), SetEnqueueOptions(priority=delivery.turn):
                    platform = delivery.shared.place.platform
                    await self._submit(platform, self._digest_link, delivery.id)
            except StorageUnavailable:
                log.warning("delivery %s is kept and will be queued later", delivery.id)
            except Exception:
                log.exception("delivery %s is kept, but was not queued", delivery.id)
            finally:
                self._arrived.task_done()

    async def take_back(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            with SetWorkflowID(f"{delivery.id}-back"), SetEnqueueOptions(priority=1):
                await self._submit(delivery.shared.place.platform, self._take_back, delivery.id)

    async def _submit(
        self, platform: str, workflow: Callable[[str], Coroutine[Any, Any, None]], delivery_id: str
    ) -> None:
        # Its own attempts to reach a database that is away never end; ours here do. If one of
        # them succeeds later, the same id makes it the same work.
        try:
            async with asyncio.timeout(_QUEUEING_SECONDS):
                await DBOS.enqueue_workflow_async(_links(platform), workflow, delivery_id)
        except TimeoutError as error:
            raise StorageUnavailable("queue", "it does not answer") from error

    # --- what is done without being asked, as `bot/schedule.py` knows it; twice is once

    async def begin_morning(self, subscription: Subscription, day: date) -> None:
        platform, name = subscription.place.platform, day.isoformat()
        await self._begin(
            f"daily:{subscription.id}:{name}",
            _links(platform),
            self._morning,
            subscription.id,
            name,
        )

    async def begin_telling_gone(self, subscription: Subscription, source: Source) -> None:
        name = gone_id(subscription.id, source.id, source.worked_at)
        queue = _links(subscription.place.platform)
        await self._begin(f"gone:{name}", queue, self._tell_gone, subscription.id, source.id)

    async def begin_entry(self, entry: Entry, language: OutputLanguage) -> None:
        name = f"entry:{entry.id}:{language}"
        await self._begin(name, ENTRIES, self._digest_entry, entry.id, entry.link, language)

    async def _begin(
        self, name: str, queue: str, workflow: Callable[..., Coroutine[Any, Any, None]], *given: str
    ) -> None:
        try:
            async with asyncio.timeout(_BEGINNING_SECONDS):
                with SetWorkflowID(name), SetEnqueueOptions(priority=LAST):
                    await DBOS.enqueue_workflow_async(queue, workflow, *given)
        except TimeoutError as error:
            raise StorageUnavailable("queue", "it does not answer") from error

    def _platforms(self) -> list[str]:
        """Whose mornings and links are this process's affair."""
        here = ["local"] if self._morning_work is not None else []
        return sorted({*self._chats, *here})

    # --- what the workflows ask of each other

    async def _make(self, text: str, language: OutputLanguage, nonce: str, turn: int) -> str:
        options = SetEnqueueOptions(
            deduplication_id=f"{text}-{language}-{nonce}",
            duplication_policy="return-existing",
            priority=turn,
        )
        with options:
            making = await DBOS.enqueue_workflow_async(
                DIGESTS, self._make_digest, text, language, bool(nonce)
            )
        made = await making.get_result(polling_interval_sec=self._pace())
        return str(unfolded(made))

    async def _show_later(self, platform: str, delivery_id: str, digest_id: str) -> None:
        # The delivery's id is the workflow's, as with any other: nobody else begins it then.
        with SetWorkflowID(delivery_id), SetEnqueueOptions(priority=LAST):
            await DBOS.enqueue_workflow_async(
                _links(platform), self._show_digest, delivery_id, digest_id
            )

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Known as running, so that it can be counted and, when closing, ended."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a workflow runs in a task
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)

    def _pace(self) -> float:
        """Seconds between two looks for a result: quick while few wait, gentle while many do."""
        return max(self._settings.polling, len(self._running) / 100)


def _links(platform: str) -> str:
    return f"links-{platform}"


def _destroy(patience: int) -> None:
    DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)


def _quiet() -> None:
    """Its lines go where ours go, instead of to a handler of its own."""
    library = logging.getLogger("dbos")
    if not library.handlers:
        library.addHandler(logging.NullHandler())
