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
import random
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    SetEnqueueOptions,
    SetWorkflowID,
)
from sqlalchemy import create_engine, inspect
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from bot.chats import Chat, Ready, Shown, Trouble, Waiting
from bot.daily import Daily
from bot.delivering import Outbox
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
    from_plain,
)
from core.feed import Entry, Source, Subscription
from core.places import Delivery
from core.ports import Deliveries
from core.retrying import delay
from core.settings import OutputLanguage, QueueSettings

log = logging.getLogger(__name__)

# The shape of the workflows. Bump it when a step is added, taken away or moved: what an older
# version began is then finished by processes of that version only, so drain the queue first.
VERSION = "1"
DIGESTS = "digests"
ENTRIES = "entries"
# What nobody waits for is behind everybody's links, whatever their turns.
_LAST = 2_000_000_000
# A morning waits so often and so long for feeds that are being asked and articles being digested.
_LOOKS, _LOOK_SECONDS = 40, 30.0
# So many entries a process reads at once; more would only wait for the model.
_ENTRIES_AT_ONCE = 2
# A database that is away for longer than this has somebody's attention; work then waits for the
# next start of a process.
_STORAGE_PATIENCE = 3600.0
_QUEUEING_SECONDS = 2.0
# Nobody waits for what begins by itself; a busy database has more time for it.
_BEGINNING_SECONDS = 30.0
_THREADS = 3
# A platform waits seconds for "we have it", a reader minutes for a digest: while links come in,
# work stands back, a moment at a time.
_STAND_BACK_SECONDS = 0.1
_MOST_STANDING_BACK = 20
# A process that dies of the same link so often would die of it for ever.
_MOST_RECOVERIES = 200

Plain = dict[str, Any]
_STANDING: Mapping[str, Standing] = {
    "ENQUEUED": "going",
    "DELAYED": "going",
    "PENDING": "going",
    "SUCCESS": "answered",
}


@dataclass(frozen=True)
class WorkflowStore:
    """Where workflows are remembered: `url` as SQLAlchemy's, `schema` for PostgreSQL."""

    url: str
    schema: str = "dbos"


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
        self._daily = daily
        self._deliveries = deliveries
        self._maker = maker
        self._outbox = Outbox(deliveries, chats, me=executor)
        self._chats = chats
        self._settings = settings
        self._store = store
        self._executor = executor
        self._running: set[asyncio.Task[Any]] = set()
        self._arrived: asyncio.Queue[Delivery] = asyncio.Queue()
        self.coming = 0  # links that are just being accepted (`bot/receiving.py` counts)
        # While the chats are being connected, what is to be said waits instead of failing.
        self.connected = asyncio.Event()
        self.connected.set()

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
                await self._digesting(delivery_id)

        @kept(name="make_digest", max_recovery_attempts=_MOST_RECOVERIES)
        async def make_digest(text: str, language: OutputLanguage, again: bool) -> Plain:
            with self._counted(), about(text[:16]):
                return await self._making(text, language, again)

        @kept(name="take_back", max_recovery_attempts=_MOST_RECOVERIES)
        async def take_back(delivery_id: str) -> None:
            with self._counted(), about(delivery_id):
                await self._taking_back(delivery_id)

        @kept(name="morning", max_recovery_attempts=_MOST_RECOVERIES)
        async def morning(subscription_id: str, day: str) -> None:
            with self._counted(), about(subscription_id):
                await self._morning(subscription_id, day)

        @kept(name="tell_gone", max_recovery_attempts=_MOST_RECOVERIES)
        async def tell_gone(subscription_id: str, source_id: str) -> None:
            with self._counted():
                await self._telling_gone(subscription_id, source_id)

        @kept(name="show_digest", max_recovery_attempts=_MOST_RECOVERIES)
        async def show_digest(delivery_id: str, digest_id: str) -> None:
            with self._counted(), about(delivery_id):
                await self._showing(delivery_id, digest_id)

        @kept(name="digest_entry", max_recovery_attempts=_MOST_RECOVERIES)
        async def digest_entry(entry_id: str, link: str, language: OutputLanguage) -> None:
            with self._counted():
                await self._digesting_entry(entry_id, link, language)

        self._digest_link, self._make_digest, self._take_back = digest_link, make_digest, take_back
        self._morning_workflow, self._tell_gone = morning, tell_gone
        self._show_digest_workflow, self._digest_entry = show_digest, digest_entry

    async def _close(self) -> None:
        """Begins nothing more, finishes what it can in `grace` seconds, leaves the rest begun."""
        loop = asyncio.get_running_loop()
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
        await self._fail(delivery.id, as_plain(trouble))

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
            self._morning_workflow,
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
                with SetWorkflowID(name), SetEnqueueOptions(priority=_LAST):
                    await DBOS.enqueue_workflow_async(queue, workflow, *given)
        except TimeoutError as error:
            raise StorageUnavailable("queue", "it does not answer") from error

    def _platforms(self) -> list[str]:
        """Whose mornings and links are this process's affair."""
        here = ["local"] if self._daily is not None else []
        return sorted({*self._chats, *here})

    # --- the workflows

    async def _morning(self, subscription_id: str, day: str) -> None:
        daily = self._known_daily()
        for _ in range(_LOOKS):
            if await self._step("ready", daily.ready, subscription_id):
                break
            await DBOS.sleep_async(_LOOK_SECONDS)
        made = await self._step("choose", daily.choose, subscription_id, day)
        if made is None or not made["said"] or not await self._announced(made["id"]):
            return
        for number in range(made["count"]):
            shared = await self._step("accept", daily.accept, made["id"], number)
            if shared is not None:
                await self._enqueue_showing(
                    shared["platform"], shared["delivery"], shared["digest"]
                )

    async def _telling_gone(self, subscription_id: str, source_id: str) -> None:
        daily = self._known_daily()
        made = await self._step("give up", daily.give_up, subscription_id, source_id)
        if made is not None and made["said"]:
            await self._announced(made["id"])

    async def _announced(self, announcement_id: str) -> bool:
        try:
            await self._say("announce", announcement_id, self._known_daily().say)
        except ChatFailed as error:
            log.warning("announcement %s cannot be made: %s", announcement_id, error)
            return False
        return True

    async def _enqueue_showing(self, platform: str, delivery_id: str, digest_id: str) -> None:
        # The delivery's id is the workflow's, as with any other: nobody else begins it then.
        with SetWorkflowID(delivery_id), SetEnqueueOptions(priority=_LAST):
            await DBOS.enqueue_workflow_async(
                _links(platform), self._show_digest_workflow, delivery_id, digest_id
            )

    async def _showing(self, delivery_id: str, digest_id: str) -> None:
        found = {"digest": digest_id, "known": False}
        try:
            await self._say("show", delivery_id, self._show_digest, found)
        except ChatFailed as error:
            log.warning("delivery %s cannot be answered: %s", delivery_id, error)
            await self._step("fail", self._fail, delivery_id, as_plain(error))

    async def _digesting_entry(self, entry_id: str, link: str, language: OutputLanguage) -> None:
        daily = self._known_daily()
        wanted = {"link": link, "language": language, "nonce": "", "turn": _LAST}
        made = error = ""
        try:
            known = await self._step("known", self._known, wanted)
            if known is None:
                # One of a site at a time: nobody is in a hurry.
                async with self._maker.reading(f"entries of {urlsplit(link).hostname}"):
                    made = await self._made(wanted)
            else:
                made = str(known["digest"])
        except DigestError as trouble:
            log.info("entry %s has no digest: %s", entry_id, trouble)
            error = trouble.code
        except Exception:
            log.exception("entry %s: a surprise", entry_id)
            error = DigestError.code
        if language != "auto":
            return  # it is found by its article
        if error:
            await self._step("note", daily.not_digested, entry_id, error)
        else:
            await self._step("note", daily.digested, entry_id, made)

    def _known_daily(self) -> Daily:
        if self._daily is None:
            raise RuntimeError("this process keeps no subscriptions")
        return self._daily

    async def _digesting(self, delivery_id: str) -> None:
        try:
            await self._answered(delivery_id)
        except ChatFailed as error:
            # Nothing can be said there any more; that it was tried is all there is to keep.
            log.warning("delivery %s cannot be answered: %s", delivery_id, error)
            await self._step("fail", self._fail, delivery_id, as_plain(error))

    async def _answered(self, delivery_id: str) -> None:
        try:
            await self._answer(delivery_id)
        except ChatFailed:
            raise
        except DigestError as error:
            await self._say("show", delivery_id, self._show_trouble, as_plain(error))
        except Exception:
            log.exception("delivery %s: a surprise", delivery_id)
            surprise = as_plain(DigestError("digest"))
            await self._say("show", delivery_id, self._show_trouble, surprise)

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

    async def _answer(self, delivery_id: str) -> None:
        wanted = await self._step("look", self._look, delivery_id)
        if wanted is None:
            return
        known = await self._step("known", self._known, wanted)
        if known is None:
            await self._say("say", delivery_id, self._say_waiting)
            known = {"digest": await self._made(wanted), "known": False}
        await self._say("show", delivery_id, self._show_digest, known)

    async def _made(self, wanted: Plain) -> str:
        """The id of the digest, after as many attempts as its troubles deserve."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(wanted)
            except DigestError as error:
                await self._wait_after(error, attempt)

    async def _attempt(self, wanted: Plain) -> str:
        text = await self._read(wanted)
        key = f"{text}-{wanted['language']}-{wanted['nonce']}"
        options = SetEnqueueOptions(
            deduplication_id=key, duplication_policy="return-existing", priority=wanted["turn"]
        )
        with options:
            making = await DBOS.enqueue_workflow_async(
                DIGESTS, self._make_digest, text, wanted["language"], bool(wanted["nonce"])
            )
        made = await making.get_result(polling_interval_sec=self._pace())
        return str(_unfolded(made))

    async def _read(self, wanted: Plain) -> str:
        """The content hash of the article, which is then kept."""
        # One at a time for a link within this process: who comes second finds it read.
        async with self._maker.reading(wanted["link"]):
            found = await self._step("recall", self._maker.recall, wanted["link"], wanted["nonce"])
            if found is not None:
                return str(found)
            page = await self._step("fetch", self._maker.fetch, wanted["link"])
            return str(await self._step("extract", self._maker.extract, wanted["link"], page))

    async def _making(self, text: str, language: OutputLanguage, again: bool) -> Plain:
        try:
            record = await self._step("digest", self._maker.digest, text, language, again)
            return {"value": await self._step("keep", self._maker.keep, text, record)}
        except DigestError as error:
            # An outcome, not an exception: whoever waits for it decides what follows.
            return {"error": as_plain(error)}

    async def _taking_back(self, delivery_id: str) -> None:
        try:
            await self._say("remove", delivery_id, self._outbox.take_back)
        except ChatFailed as error:
            log.warning("the answer of delivery %s stays: %s", delivery_id, error)

    # --- steps

    async def _look(self, delivery_id: str) -> Plain | None:
        delivery = await self._deliveries.get(delivery_id)
        if delivery is None or delivery.state != "waiting":
            return None
        shared = delivery.shared
        return {
            "link": delivery.canonical,
            "language": shared.language,
            "nonce": shared.nonce if shared.again else "",
            "turn": delivery.turn,
        }

    async def _known(self, wanted: Plain) -> Plain | None:
        if wanted["nonce"]:
            return None
        found = await self._maker.known(wanted["link"], wanted["language"])
        return None if found is None else {"digest": found, "known": True}

    async def _say_waiting(self, delivery_id: str) -> None:
        await self._outbox.show(delivery_id, Waiting())

    async def _show_digest(self, delivery_id: str, found: Plain) -> None:
        record = await self._maker.record(found["digest"])
        if record is None:  # erased between its making and now
            return
        shown: Shown = Ready(record, known=found["known"])
        if await self._outbox.show(delivery_id, shown):
            await self._deliveries.answered(delivery_id, record.id)

    async def _show_trouble(self, delivery_id: str, error: Plain) -> None:
        if await self._outbox.show(delivery_id, Trouble(from_plain(error))):
            await self._fail(delivery_id, error)

    async def _fail(self, delivery_id: str, error: Plain) -> None:
        await self._deliveries.failed(delivery_id, error["code"], error["reason"])

    async def _say(
        self, name: str, delivery_id: str, say: Callable[..., Awaitable[Any]], *said: Any
    ) -> None:
        """Says it, however long the platform is away (see core/retrying.py)."""
        attempt = 0
        while True:
            attempt += 1
            await self.connected.wait()
            try:
                await self._step(name, say, delivery_id, *said)
                return
            except ChatUnavailable as error:
                await self._wait_after(error, attempt)

    async def _wait_after(self, error: DigestError, attempt: int) -> None:
        """Waits for the next attempt, or raises the error where there is none."""
        # Not random across a recovery: the engine remembers the sleep it began.
        wait = delay(error, attempt, random.random())  # noqa: S311 - spreads, hides nothing
        if wait is None:
            raise error
        log.info("attempt %d failed, the next in %.1f s: %s", attempt, wait, error)
        await DBOS.sleep_async(wait)

    async def _step(self, name: str, act: Callable[..., Awaitable[Any]], *given: Any) -> Any:
        """A checkpoint. Our own errors are results, so that they come back as what they are."""

        async def run() -> Plain:
            try:
                return {"value": await _despite_storage(act, *given)}
            except DigestError as error:
                return {"error": as_plain(error)}

        await self._stand_back()
        return _unfolded(await DBOS.run_step_async({"name": name}, run))

    async def _stand_back(self) -> None:
        for _ in range(_MOST_STANDING_BACK):
            if self._arrived.empty() and not self.coming:
                return
            await asyncio.sleep(_STAND_BACK_SECONDS)

    def _pace(self) -> float:
        """Seconds between two looks for a result: quick while few wait, gentle while many do."""
        return max(self._settings.polling, len(self._running) / 100)


def erase_remembered(store: WorkflowStore, delivery_ids: Sequence[str]) -> None:
    """Nothing is remembered of these deliveries any more. Works beside processes at work, whose
    workflows of them end with their next step."""
    ids = [one for delivery in delivery_ids for one in (delivery, f"{delivery}-back")]
    if not ids or not _exists(store):
        return
    client = DBOSClient(
        system_database_url=store.url,
        dbos_system_schema=store.schema,
        serializer=DBOSPortableJSONSerializer(),
    )
    try:
        client.delete_workflows(ids, delete_children=True)
    finally:
        client.destroy()


def _exists(store: WorkflowStore) -> bool:
    """Whether any workflow was ever begun there."""
    engine = create_engine(store.url)
    try:
        schema = store.schema if engine.dialect.name == "postgresql" else None
        return inspect(engine).has_table("workflow_status", schema=schema)
    finally:
        engine.dispose()


async def _despite_storage(act: Callable[..., Awaitable[Any]], *given: Any) -> Any:
    """A database that is away is waited for, in place: nothing could be checkpointed either."""
    patient = AsyncRetrying(
        retry=retry_if_exception_type(StorageUnavailable),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        stop=stop_after_delay(_STORAGE_PATIENCE),
        reraise=True,
    )
    return await patient(act, *given)


def _unfolded(result: Plain) -> Any:
    if "error" in result:
        raise from_plain(result["error"])
    return result["value"]


def _links(platform: str) -> str:
    return f"links-{platform}"


def _destroy(patience: int) -> None:
    DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)


def _quiet() -> None:
    """Its lines go where ours go, instead of to a handler of its own."""
    library = logging.getLogger("dbos")
    if not library.handlers:
        library.addHandler(logging.NullHandler())
