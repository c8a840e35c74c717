"""A camera that speaks RTSP: serves one H.264 file on 127.0.0.1 until it is killed. Prints its port.

python rtsp_server.py CLIP.mp4 [--login USER:PASSWORD] [--times N] [--silent] [--fps F] [--jump SECONDS] [--says-length]

Each viewer gets the clip N times, as fast as it takes it or F pictures a second; then the server hangs up, or with
--silent says no more. --jump: the second half's stamps are so much later, or stand still if it is next to nothing.
--says-length: as a film's, which some cameras do.
Only what FFmpeg asks for is here: RTSP 1.0, RTP within the connection (RFC 2326), H.264 packets (RFC 6184).
"""

from __future__ import annotations

import argparse
import base64
import socketserver
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import av

RTP_CLOCK_HZ = 90_000
LARGEST_PAYLOAD = 1400
FU_A = 28


class Clip:
    """access_units  for each picture its time in ticks of the RTP clock and its NAL units"""

    def __init__(self, path: Path, times: int) -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            extradata = stream.codec_context.extradata
            assert extradata is not None
            self.parameter_sets = list(_parameter_sets(extradata))
            self.profile = extradata[1:4].hex()
            units = [
                (round(float(packet.pts * packet.time_base) * RTP_CLOCK_HZ), list(_nal_units(bytes(packet))))
                for packet in container.demux(stream)
                if packet.pts is not None and packet.time_base is not None
            ]
            assert stream.average_rate is not None
            period = round(len(units) / float(stream.average_rate) * RTP_CLOCK_HZ)
            self.access_units = [(ticks + turn * period, unit) for turn in range(times) for ticks, unit in units]

    def sdp(self, *, says_length: bool) -> str:
        sets = ",".join(base64.b64encode(one).decode() for one in self.parameter_sets)
        lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=clip", "t=0 0", "m=video 0 RTP/AVP 96"]
        lines += ["a=range:npt=0-1.2"] if says_length else []
        lines += [f"a=rtpmap:96 H264/{RTP_CLOCK_HZ}", "a=control:video"]
        lines += [f"a=fmtp:96 packetization-mode=1;profile-level-id={self.profile};sprop-parameter-sets={sets}"]
        return "\r\n".join(lines) + "\r\n"

    def jump(self, seconds: float) -> None:
        half = len(self.access_units) // 2
        stands = self.access_units[half][0] if abs(seconds) < 0.001 else None
        self.access_units[half:] = [
            (ticks + round(seconds * RTP_CLOCK_HZ) if stands is None else stands, units)
            for ticks, units in self.access_units[half:]
        ]

    def pictures(self) -> Iterator[bytes]:
        """The RTP packets of each, framed for the RTSP connection."""
        number = 0
        for ticks, units in self.access_units:
            payloads = [payload for unit in units for payload in _payloads(unit)]
            framed = []
            for index, payload in enumerate(payloads):
                marker = 0x80 if index == len(payloads) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, marker | 96, number & 0xFFFF, ticks & 0xFFFFFFFF, 1) + payload
                framed.append(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                number += 1
            yield b"".join(framed)


class Viewer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        try:
            while request := self._request():
                if not self._answer(*request):
                    return
        except (BrokenPipeError, ConnectionResetError):
            return  # seen enough

    def _request(self) -> tuple[str, str, dict[str, str]] | None:
        line = self.rfile.readline().decode()
        if not line:
            return None
        verb, address, _ = line.split()
        heads: dict[str, str] = {}
        while (line := self.rfile.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            heads[name.lower()] = value.strip()
        return verb, address, heads

    def _answer(self, verb: str, address: str, heads: dict[str, str]) -> bool:
        """Whether the connection goes on."""
        server = self.server
        assert isinstance(server, Server)
        number = heads["cseq"]
        if verb != "OPTIONS" and server.login and heads.get("authorization") != server.login:
            self._reply("401 Unauthorized", number, 'WWW-Authenticate: Basic realm="clip"')
        elif verb == "DESCRIBE":
            heads_of_sdp = ("Content-Type: application/sdp", f"Content-Base: {address}/")
            self._reply("200 OK", number, *heads_of_sdp, body=server.clip.sdp(says_length=server.says_length))
        elif verb == "SETUP" and "interleaved" not in heads["transport"]:
            self._reply("461 Unsupported Transport", number)
        elif verb == "SETUP":
            self._reply("200 OK", number, f"Transport: {heads['transport']}", "Session: 1")
        elif verb == "PLAY":
            self._reply("200 OK", number, "Session: 1", "Range: npt=0-")
            began_s = time.monotonic()
            for count, picture in enumerate(server.clip.pictures()):
                if server.fps:
                    time.sleep(max(0.0, began_s + count / server.fps - time.monotonic()))
                self.wfile.write(picture)
            return server.silent
        else:
            self._reply("200 OK", number, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        return verb != "TEARDOWN"

    def _reply(self, status: str, number: str, *heads: str, body: str = "") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {number}", *heads, f"Content-Length: {len(body)}", "", body]
        self.wfile.write("\r\n".join(lines).encode())


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, clip: Clip, login: str | None, *, silent: bool, fps: float, says_length: bool) -> None:
        super().__init__(("127.0.0.1", 0), Viewer)
        self.clip = clip
        self.login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else None
        self.silent = silent
        self.fps = fps
        self.says_length = says_length


def _parameter_sets(extradata: bytes) -> Iterator[bytes]:
    """SPS and PPS of an avcC box."""
    place, left = 6, extradata[5] & 31
    for last in (False, True):
        for _ in range(left):
            size = int.from_bytes(extradata[place : place + 2], "big")
            yield extradata[place + 2 : place + 2 + size]
            place += 2 + size
        if not last:
            left, place = extradata[place], place + 1


def _nal_units(sample: bytes) -> Iterator[bytes]:
    """The units of an MP4 sample, each after four bytes of length."""
    place = 0
    while place < len(sample):
        size = int.from_bytes(sample[place : place + 4], "big")
        yield sample[place + 4 : place + 4 + size]
        place += 4 + size


def _payloads(unit: bytes) -> Iterator[bytes]:
    if len(unit) <= LARGEST_PAYLOAD:
        yield unit
        return
    head, body = unit[0], unit[1:]
    for start in range(0, len(body), LARGEST_PAYLOAD):
        part = body[start : start + LARGEST_PAYLOAD]
        first = 0x80 if start == 0 else 0
        last = 0x40 if start + len(part) == len(body) else 0
        yield bytes([head & 0xE0 | FU_A, first | last | head & 0x1F]) + part


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("clip", type=Path)
    parser.add_argument("--login")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--fps", type=float, default=0.0)
    parser.add_argument("--jump", type=float, default=0.0)
    parser.add_argument("--says-length", action="store_true")
    args = parser.parse_args()
    clip = Clip(args.clip, args.times)
    if args.jump:
        clip.jump(args.jump)
    with Server(clip, args.login, silent=args.silent, fps=args.fps, says_length=args.says_length) as server:
        print(server.server_address[1], flush=True)  # noqa: T201
        server.serve_forever()


if __name__ == "__main__":
    main()
