"""How the console says no: what failed, what was seen, what to do, as everywhere in this program."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from checkpoints.errors import EnrolmentError, GalleryAway, GalleryLocked, OutputError, UserError

_NAMES = {404: "There is no such page.", 405: "This cannot be done here."}


class Problem(HTTPException):
    """An HTTPException, so that nothing on its way to the browser takes it for something else."""

    def __init__(
        self,
        status: int,
        what: str,
        *,
        saw: str | None = None,
        fix: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail=what, headers=headers)
        self.what = what
        self.saw = saw
        self.fix = fix


def gone(what: str, one: str) -> Problem:
    """An id that there is not, or not any more."""
    return Problem(404, what, saw=one[:80], fix="somebody else may have changed it meanwhile; load the page again")


def answer(
    status: int, what: str, saw: str | None, fix: str | None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"what": what, "saw": saw, "fix": fix}, status, headers)


def add_handlers(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(UserError, _of_user)
    app.add_exception_handler(Exception, _of_bug)


def status_of(error: UserError) -> int:
    if isinstance(error, EnrolmentError):
        return 422
    if isinstance(error, GalleryAway | GalleryLocked | OutputError):
        return 503
    return 409


def _of_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error, Problem):
        return answer(error.status_code, error.what, error.saw, error.fix, error.headers)
    what = _NAMES.get(error.status_code, "The request cannot be answered.")
    return answer(error.status_code, what, str(error.detail), "see /api/openapi.json", error.headers)


def _of_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    saw = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10])
    return answer(422, "The request cannot be understood.", saw, "see /api/openapi.json")


def _of_user(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, UserError)
    return answer(status_of(error), error.what, error.saw, error.fix)


def _of_bug(_request: Request, error: Exception) -> JSONResponse:
    return answer(
        500, "The console has made a mistake.", type(error).__name__, "see what the program says where it runs"
    )
