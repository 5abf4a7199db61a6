"""The gateway: sessions that outlive their connections, and everything that goes wrong there.

Opcodes and close codes as in discord/discord-api-docs, `developers/events/gateway.mdx`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import struct
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from aiohttp import WSMsgType, web
from support.discord_entities import Channel, Guild, Json
from support.discord_world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME = 0, 1, 2, 3, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 7, 8, 9, 10, 11
GUILD_MEMBERS, PRESENCES, MESSAGE_CONTENT = 1 << 1, 1 << 8, 1 << 15
PRIVILEGED = GUILD_MEMBERS | PRESENCES | MESSAGE_CONTENT
SENT_PER_MINUTE = 120
PAYLOAD_BYTES = 4096
IN_GUILDS, IN_DIRECT = 0, 1
EVEN_IF_HIDDEN = {"CHANNEL_UPDATE", "CHANNEL_DELETE", "INTERACTION_CREATE"}
INTENTS = {  # (in a guild, in a direct message)
    "MESSAGE": (1 << 9, 1 << 12),
    "MESSAGE_REACTION": (1 << 10, 1 << 13),
    "GUILD_MEMBER": (GUILD_MEMBERS, GUILD_MEMBERS),
    "GUILD": (1, 1),
    "CHANNEL": (1, 1),
    "THREAD": (1, 1),
}


def intent_for(event: str, direct: bool) -> int:
    """The intent without which this event is not sent; 0: always sent."""
    for prefix in sorted(INTENTS, key=len, reverse=True):
        if event.startswith(prefix + "_"):
            return INTENTS[prefix][IN_DIRECT if direct else IN_GUILDS]
    return 0


class Closing(Exception):
    """The connection ends with this code, as a client mistake deserves."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


@dataclass(eq=False)
class Session:
    id: str
    intents: int
    shard: tuple[int, int]
    sequence: int = 0
    log: list[Json] = field(default_factory=list)
    connection: Connection | None = None

    def concerns(self, event: str, guild: Guild | None) -> bool:
        number, count = self.shard
        home = 0 if guild is None else (guild.id >> 22) % count
        wanted = intent_for(event, guild is None)
        if event == "GUILD_MEMBER_UPDATE" and guild is not None:
            wanted = 0  # the bot's own changes need no intent
        return home == number and (not wanted or bool(self.intents & wanted))

    def dispatch(self, event: str, payload: Json) -> None:
        self.sequence += 1
        frame = {"op": DISPATCH, "t": event, "s": self.sequence, "d": payload}
        self.log.append(frame)
        if self.connection is not None:
            self.connection.send(frame)


class Connection:
    """One websocket. Frames leave in the order in which they were handed over."""

    def __init__(self, websocket: web.WebSocketResponse, request: web.Request) -> None:
        self.websocket = websocket
        self.request = request
        self.session: Session | None = None
        self.closed_by_us = False
        self.received_at: deque[float] = deque()
        self._outgoing: asyncio.Queue[bytes | str] = asyncio.Queue()
        self._pack = packer(request.query.get("compress"))
        self.sender = asyncio.create_task(self._send_all())

    def send(self, frame: Json) -> None:
        self._outgoing.put_nowait(self._pack(json.dumps(frame)))

    async def _send_all(self) -> None:
        while True:
            frame = await self._outgoing.get()
            with contextlib.suppress(ConnectionError):
                if isinstance(frame, str):
                    await self.websocket.send_str(frame)
                else:
                    await self.websocket.send_bytes(frame)
            self._outgoing.task_done()

    async def flush(self) -> None:
        await self._outgoing.join()

    def count(self) -> None:
        """Raises Closing 4008 after 120 payloads in a minute."""
        moment = time.monotonic()
        self.received_at.append(moment)
        while moment - self.received_at[0] > 60:
            self.received_at.popleft()
        if len(self.received_at) > SENT_PER_MINUTE:
            raise Closing(4008, "Rate limited.")

    def reset(self) -> None:
        """The cable is cut: no close frame, the peer sees a reset."""
        transport = self.request.transport
        if transport is not None:
            reset(transport)


def reset(transport: asyncio.Transport) -> None:
    """Closes with RST instead of FIN."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def packer(compression: str | None) -> Any:
    """From text to what is sent: one stream per connection, flushed at each frame."""
    if compression == "zlib-stream":
        deflate = zlib.compressobj()
        return lambda text: deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    if compression == "zstd-stream":
        zstandard = import_module("zstandard")  # only where the client has it too

        stream = zstandard.ZstdCompressor().compressobj()
        flush = zstandard.COMPRESSOBJ_FLUSH_BLOCK
        return lambda text: stream.compress(text.encode()) + stream.flush(flush)
    return lambda text: text


class Gateway:
    """All sessions of the one bot."""

    def __init__(self, world: World, token: str) -> None:
        self.world = world
        self.token = token
        self.url = ""
        self.heartbeat_interval = 41.25  # seconds
        self.acks = True
        self.granted = PRIVILEGED
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.identifies: list[Json] = []
        self.resumes: list[Json] = []
        self.closed_with: list[int] = []
        self.identifies_left = 1000
        self.refuse_resumes = False
        self.accepting = True
        self.surprises: list[BaseException] = []
        world.on_emit = self.emit

    def emit(self, event: str, payload: Json, where: Channel | Guild | None) -> None:
        guild = where.guild if isinstance(where, Channel) else where
        if guild is not None and not guild.bot_is_in and event != "GUILD_DELETE":
            return
        hidden = isinstance(where, Channel) and not where.may(self.world.bot, "view_channel")
        if hidden and event not in EVEN_IF_HIDDEN:
            return
        for session in self.sessions.values():
            if session.concerns(event, guild):
                session.dispatch(event, self._readable(event, payload, session, guild))

    def _readable(self, event: str, payload: Json, session: Session, guild: Guild | None) -> Json:
        """Without the Message Content intent only own, direct and mentioning messages are told."""
        if event not in {"MESSAGE_CREATE", "MESSAGE_UPDATE"} or guild is None:
            return payload
        mine = str(self.world.bot.id)
        mentioned = any(user["id"] == mine for user in payload.get("mentions", []))
        own = payload.get("author", {}).get("id") == mine
        if session.intents & MESSAGE_CONTENT or mentioned or own:
            return payload
        return payload | {"content": "", "embeds": [], "components": [], "attachments": []}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if not self.accepting:
            return web.Response(status=503)
        if request.query.get("encoding") != "json" or request.query.get("v") != "10":
            return web.Response(status=400)
        websocket = web.WebSocketResponse(max_msg_size=1 << 20)
        await websocket.prepare(request)
        connection = Connection(websocket, request)
        self.connections.append(connection)
        try:
            await self._converse(connection)
        except ConnectionError:
            pass  # the cable was cut, by us or by them
        except Closing as closing:
            self.closed_with.append(closing.code)
            await connection.flush()
            await websocket.close(code=closing.code, message=closing.reason.encode())
        except Exception as surprise:  # noqa: BLE001 - kept: the test fails of it at its end
            self.surprises.append(surprise)
        finally:
            self._forget(connection)
        return websocket

    def _forget(self, connection: Connection) -> None:
        connection.sender.cancel()
        self.connections.remove(connection)
        if connection.session is not None and connection.session.connection is connection:
            connection.session.connection = None
        self.world.changed()

    async def _converse(self, connection: Connection) -> None:
        interval = int(self.heartbeat_interval * 1000)
        connection.send({"op": HELLO, "d": {"heartbeat_interval": interval}})
        async for message in connection.websocket:
            if message.type is not WSMsgType.TEXT:
                raise Closing(4002, "Decode error.")
            if len(message.data.encode()) > PAYLOAD_BYTES:
                raise Closing(4002, "Payload too large.")
            connection.count()
            try:
                frame = json.loads(message.data)
                op, data = frame["op"], frame.get("d")
            except (ValueError, KeyError, TypeError) as error:
                raise Closing(4002, "Decode error.") from error
            self._receive(connection, op, data)
        code = connection.websocket.close_code
        # A client that leaves with 1000 or 1001 ends its session: it cannot be resumed.
        left = code in {1000, 1001} and not connection.closed_by_us
        if left and connection.session is not None:
            self.sessions.pop(connection.session.id, None)

    def _receive(self, connection: Connection, op: int, data: Any) -> None:
        if op == HEARTBEAT:
            if self.acks:
                connection.send({"op": ACK, "d": None})
        elif op == IDENTIFY:
            self._identify(connection, data)
        elif op == RESUME:
            self._resume(connection, data)
        elif connection.session is None:
            raise Closing(4003, "Not authenticated.")
        elif op == REQUEST_MEMBERS:
            self._members(connection.session, data)
        elif op not in {PRESENCE, 4}:
            raise Closing(4001, "Unknown opcode.")
        self.world.changed()

    def _identify(self, connection: Connection, data: Json) -> None:
        if connection.session is not None:
            raise Closing(4005, "Already authenticated.")
        if data.get("token") != self.token:
            raise Closing(4004, "Authentication failed.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or "properties" not in data:
            raise Closing(4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~self.granted:
            raise Closing(4014, "Disallowed intent(s).")
        number, count = data.get("shard", (0, 1))
        if not 0 <= number < count:
            raise Closing(4010, "Invalid shard.")
        if self.identifies_left <= 0:
            raise Closing(4004, "Authentication failed.")  # the token has been reset
        self.identifies_left -= 1
        self.identifies.append(data)
        session = Session(secrets.token_hex(16), intents, (number, count), connection=connection)
        connection.session = session
        self.sessions[session.id] = session
        self._greet(session)

    def _greet(self, session: Session) -> None:
        number, count = session.shard
        mine = [
            guild
            for guild in self.world.guilds.values()
            if guild.bot_is_in and (guild.id >> 22) % count == number
        ]
        ready = {
            "v": 10,
            "user": self.world.bot.payload(),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in mine],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [number, count],
            "application": {"id": str(self.world.application_id), "flags": 0},
        }
        session.dispatch("READY", ready)
        if session.intents & 1:
            for guild in mine:
                session.dispatch("GUILD_CREATE", guild.payload())

    def _resume(self, connection: Connection, data: Json) -> None:
        self.resumes.append(data)
        if data.get("token") != self.token:
            raise Closing(4004, "Authentication failed.")
        session = self.sessions.get(str(data.get("session_id")))
        if session is None or self.refuse_resumes:
            connection.send({"op": INVALID_SESSION, "d": False})
            return
        if data.get("seq") is None or data["seq"] > session.sequence:
            raise Closing(4007, "Invalid seq.")
        session.connection = connection
        connection.session = session
        for frame in [frame for frame in session.log if frame["s"] > data["seq"]]:
            connection.send(frame)
        session.dispatch("RESUMED", {})

    def _members(self, session: Session, data: Json) -> None:
        guild = self.world.guilds.get(int(data["guild_id"]))
        if guild is None or (data.get("query") == "" and not session.intents & GUILD_MEMBERS):
            return
        wanted = {int(user) for user in data.get("user_ids") or guild.members}
        members = [guild.member_payload(u) for u in guild.members.values() if u.id in wanted]
        chunk: Json = {"guild_id": str(guild.id), "members": members, "not_found": []}
        chunk |= {"chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce")}
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)

    # What a test does to the bot's connections.

    def ask_to_reconnect(self) -> None:
        for connection in self.connections:
            connection.send({"op": RECONNECT, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """INVALID_SESSION; what happens until the next IDENTIFY is told to nobody."""
        for connection in self.connections:
            if not resumable and connection.session is not None:
                self.sessions.pop(connection.session.id, None)
            connection.send({"op": INVALID_SESSION, "d": resumable})

    async def close(self, code: int) -> None:
        for connection in list(self.connections):
            self.closed_with.append(code)
            connection.closed_by_us = True
            await connection.flush()
            await connection.websocket.close(code=code)

    def reset(self) -> None:
        for connection in list(self.connections):
            connection.reset()

    def forget_sessions(self) -> None:
        """The next RESUME is answered by INVALID_SESSION."""
        self.sessions.clear()
