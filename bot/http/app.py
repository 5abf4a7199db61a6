"""The HTTP surface as one application: the page, the API, and what operators ask for.

`create_app` is given an open service and starts nothing by itself. No page it serves loads
anything from another machine: no fonts, no scripts, no documentation from a CDN.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from bot.chats import Surface
from bot.figures import WatchedEngine, figures_of
from bot.http.api import Api
from bot.http.bodies import mistakes_in
from bot.http.feeds import FeedPages
from bot.http.health import away
from bot.http.metrics import CONTENT_TYPE, Metrics
from bot.http.problems import HttpProblem, problem_response, unexpected
from bot.http.requests import RequestIds
from bot.http.samples import SAMPLES, sample_at
from bot.http.security import Guard, check_exposure
from bot.subscribing import Subscribing
from core.errors import DigestError, StorageUnavailable
from core.ports import Deliveries, Feeds
from core.settings import Settings

if TYPE_CHECKING:
    from bot.wiring import Service  # at run time we are given one; its imports stay there

__all__ = ["check_exposure", "create_app", "create_watch_app"]

PAGE = Path(__file__).parent / "page"
# The files change with the program and are small: ask every time, answer 304 most times.
FRESH = {"Cache-Control": "no-cache"}


def create_app(
    service: Service,
    settings: Settings,
    surfaces: Sequence[Surface] = (),
    subscribing: Subscribing | None = None,
    deliveries: Deliveries | None = None,
) -> FastAPI:
    """Raises SettingsError when others could reach the service and no token protects it."""
    check_exposure(settings)
    app = FastAPI(
        title="SmartDevDigest",
        version="1",
        description="A link or an article in, an honest digest out.",
        docs_url=None,
        redoc_url=None,
    )
    metrics = _metrics(service)
    api = Api(service, metrics, max_body=settings.http.max_body)
    app.include_router(api.router())
    if subscribing is not None:
        feeds = FeedPages(subscribing, service.digests, max_body=settings.http.max_body)
        app.include_router(feeds.router())
    _serve_pages(app)
    feeds_kept = None if subscribing is None else subscribing.feeds
    _serve_operators(app, metrics, surfaces, service, feeds_kept, deliveries)
    for surface in surfaces:
        app.router.routes.extend(surface.routes)
    _answer_problems(app)
    app.add_middleware(Guard, http=settings.http)
    app.add_middleware(RequestIds)
    return app


def create_watch_app(service: Service, settings: Settings, deliveries: Deliveries) -> FastAPI:
    """What operators ask a worker for, and nothing else. Raises SettingsError as above."""
    check_exposure(settings)
    app = FastAPI(title="SmartDevDigest worker", docs_url=None, redoc_url=None, openapi_url=None)
    _serve_operators(app, _metrics(service), (), service, None, deliveries)
    _answer_problems(app)
    app.add_middleware(Guard, http=settings.http)
    app.add_middleware(RequestIds)
    return app


def _metrics(service: Service) -> Metrics:
    engine = service.engine
    inner = engine.inner if isinstance(engine, WatchedEngine) else engine
    return Metrics(figures_of(engine), inner)


def _serve_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(PAGE / "index.html", headers=FRESH)

    @app.get("/mornings", include_in_schema=False)
    @app.get("/feeds/{secret}", include_in_schema=False)
    async def mornings(secret: str = "") -> FileResponse:
        return FileResponse(PAGE / "mornings.html", headers=FRESH)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(PAGE / "docs.html", headers=FRESH)

    @app.get("/samples", include_in_schema=False)
    async def samples() -> JSONResponse:
        return JSONResponse(
            [
                {
                    "path": sample.path,
                    "language": sample.language,
                    "title": sample.title,
                    "teaser": sample.teaser,
                }
                for sample in SAMPLES
            ]
        )

    @app.get("/samples/{name}.html", include_in_schema=False)
    async def sample(name: str) -> FileResponse:
        found = sample_at(f"/samples/{name}.html")
        if found is None:
            raise HttpProblem(404, "no_such_page")
        return FileResponse(found.file, headers=FRESH, media_type="text/html; charset=utf-8")

    app.mount("/page", StaticFiles(directory=PAGE), name="page")


def _serve_operators(
    app: FastAPI,
    metrics: Metrics,
    surfaces: Sequence[Surface],
    service: Service,
    feeds: Feeds | None,
    deliveries: Deliveries | None,
) -> None:
    @app.get("/healthz", summary="Whether the server answers")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Whether links are taken in and digested; else why not")
    async def readyz() -> JSONResponse:
        ended = {one.chat.platform: one.ended_by for one in surfaces if one.ended_by}
        missing = await away(service, metrics.engine)
        if not ended and not missing:
            return JSONResponse({"status": "ok"})
        said: dict[str, object] = {"status": "ended" if ended else "away"}
        if ended:
            said["chats"] = ended
        if missing:
            said["away"] = missing
        return JSONResponse(said, status_code=503)

    @app.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    async def figures() -> Response:
        with suppress(StorageUnavailable):  # the other figures are wanted all the more
            if deliveries is not None:
                await metrics.figures.look_at_links(deliveries.waiting)
            if feeds is not None:
                await metrics.figures.look_at_feeds(feeds.all)
        return Response(metrics.page(), headers={"Content-Type": CONTENT_TYPE})


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(DigestError)
    async def expected(_request: Request, error: DigestError) -> Response:
        return problem_response(error)

    @app.exception_handler(HttpProblem)
    async def refused(_request: Request, error: HttpProblem) -> Response:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def bad_query(_request: Request, error: RequestValidationError) -> Response:
        return problem_response(HttpProblem(400, "bad_request", mistakes_in(error.errors())))

    @app.exception_handler(HTTPException)
    async def plain(_request: Request, error: HTTPException) -> Response:
        code = "wrong_method" if error.status_code == 405 else "no_such_page"
        return problem_response(HttpProblem(error.status_code, code, headers=error.headers))

    @app.exception_handler(ClientDisconnect)
    async def left(_request: Request, _error: ClientDisconnect) -> Response:
        return Response(status_code=499)  # nobody reads it; the log does

    @app.exception_handler(Exception)
    async def surprising(_request: Request, _error: Exception) -> Response:
        # Starlette logs what reaches this handler, with its traceback, through uvicorn.
        return problem_response(unexpected())
