"""What FFmpeg says when a stream cannot be had, in words that tell what to do."""

from __future__ import annotations

import errno

import av.error

from checkpoints.errors import HungUp, LoginRefused, NoSuchStream, NotDecodable, SourceError, Stalled, Unreachable

_NOBODY_THERE = {
    errno.ECONNREFUSED: "nobody listens there",
    errno.EHOSTUNREACH: "there is no way to this host",
    errno.ENETUNREACH: "there is no way to this network",
    errno.ETIMEDOUT: "nobody answered in time",
    errno.EIO: "no connection could be made; perhaps nobody knows the host's name",
    errno.EADDRNOTAVAIL: "there is no way to this host",
}
_CLOSED = {errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED}
_NO_PROTOCOL = {errno.EPROTONOSUPPORT, errno.EPROTO}
_UNKNOWN_FORMAT = (
    av.error.InvalidDataError,
    av.error.DecoderNotFoundError,
    av.error.DemuxerNotFoundError,
    av.error.PatchWelcomeError,
)
_NOT_THERE = (
    av.error.HTTPNotFoundError,
    av.error.HTTPOtherClientError,
    av.error.HTTPBadRequestError,
    av.error.LookupError,
)


def reason(error: Exception) -> str:
    # FFmpeg's own text names the address, with its password.
    if isinstance(error, (OSError, av.error.FFmpegError)) and error.strerror:
        return str(error.strerror)
    return str(error) or type(error).__name__


def explained(error: Exception, shown: str, timeout_s: float, *, opened: bool) -> SourceError:
    """opened  whether the stream had been there before"""
    number = getattr(error, "errno", None)
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return LoginRefused(
            "The camera refuses the login.",
            saw=f"{shown}: {reason(error)}",
            fix="check user and password; write them as {user}:{password}@ and set CAMERA_USER and CAMERA_PASSWORD",
        )
    if isinstance(error, _NOT_THERE):
        return NoSuchStream(
            "The camera has no such stream.",
            saw=f"{shown}: {reason(error)}",
            fix="check the path behind the host; the camera's manual or an ONVIF tool tells it",
        )
    if isinstance(error, av.error.ExitError) or (opened and number == errno.ETIMEDOUT):
        return stalled(shown, timeout_s) if opened else unreachable(shown, f"no answer for {timeout_s:.0f} s")
    if opened and (number in _CLOSED or number == errno.EIO or isinstance(error, (EOFError, av.error.EOFError))):
        return hung_up(shown, reason(error))
    if number in _NOBODY_THERE:
        return unreachable(shown, _NOBODY_THERE[number])
    if isinstance(error, _UNKNOWN_FORMAT) or number in _NO_PROTOCOL:
        return not_decodable(shown, reason(error))
    if isinstance(error, av.error.HTTPServerError):
        return unreachable(shown, f"the camera is there but not well: {reason(error)}")
    return unreachable(shown, reason(error))


def unreachable(shown: str, why: str) -> Unreachable:
    return Unreachable(
        "The camera cannot be reached.",
        saw=f"{shown}: {why}",
        fix="check the address and port, the cable, and that the camera has power",
    )


def stalled(shown: str, timeout_s: float) -> Stalled:
    return Stalled(
        "The camera gives no pictures.",
        saw=f"{shown}: no picture for {timeout_s:.0f} s",
        fix="look at the camera's load and the network; CAMERA_TIMEOUT says how long to wait",
    )


def hung_up(shown: str, why: str) -> HungUp:
    return HungUp(
        "The camera ended the connection.",
        saw=f"{shown}: {why}",
        fix="some cameras allow only a few viewers at once, or restart at night",
    )


def not_decodable(shown: str, why: str) -> NotDecodable:
    return NotDecodable(
        "The camera's pictures cannot be decoded.",
        saw=f"{shown}: {why}",
        fix="set the camera to H.264, H.265 or MJPEG, without encryption or vendor extensions (H.265+)",
    )
