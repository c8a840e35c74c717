"""lookup: whose face it is, by the votes of its best shots, asked from the gallery.

It holds the gallery: other processes ask it at its desk between two records, and what they change counts at once. Of
faces that nobody has a name for it keeps the best shots. Nothing here waits for a slow disk, nor for a network unless
faces are looked up there (QDRANT_READS=server).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from checkpoints.errors import GalleryError, OutputError
from engines.models import embedder_model
from pipeline import events, naming
from pipeline.clock import now_ns, utc_iso
from pipeline.event_log import open_log
from pipeline.evidence import Evidence, Look
from pipeline.gallery.counted import CountedGallery
from pipeline.gallery.cutting import cut_out
from pipeline.gallery.desk import Desk
from pipeline.gallery.gallery import Cutout, Match
from pipeline.gallery.matcher import open_matcher
from pipeline.gallery.opening import gallery_of
from pipeline.gallery.unknown_tracks import UnknownTracks
from pipeline.gallery.unknowns import Shot
from pipeline.messages import FrameRef, Identities, NamedFace, TrackedFace, Tracks
from pipeline.retry import Retry
from pipeline.stage import StageContext
from pipeline.topic import image_of
from tracker.vote import Verdict

CANDIDATES = 3  # people that a shot is compared with: the best, the runner-up, and one more to say why
# The gallery is followed at most so often, and at most in this part of the time: a large one takes a while to list.
_FOLLOW_EVERY_NS = 250_000_000
_SERVER_EVERY_NS = 5_000_000_000
_FOLLOW_SHARE = 50


def open_stage(context: StageContext) -> Lookup:
    return Lookup(context)


class Lookup:
    def __init__(self, context: StageContext) -> None:
        config = context.config.gallery
        known = embedder_model(context.config.engines).known
        assert known.embedding_dim is not None
        assert known.match_threshold is not None
        self._context = context
        self._space = known.embedding_space
        self._has_server = config.server is not None
        self._gallery = CountedGallery(gallery_of(config, space=self._space, dim=known.embedding_dim, share=False))
        self._desk = Desk(self._gallery, config.path, self._name_face)
        self._matcher = open_matcher(self._gallery, known, config)
        self._near = known.match_threshold
        self._unknowns = self._new_unknowns()
        self._keep_again = Retry(is_wished=context.config.endless)
        self._evidence: dict[str, Evidence] = {}
        self._newest: dict[str, Tracks] = {}
        self._followed_changes = 0
        self._follow_at_ns = 0
        self._is_away = False
        self._log = open_log(context.config) if self._has_server else None

    def work(self, records: Sequence[Tracks]) -> list[Identities]:
        named = [self._name(tracks) for tracks in records]
        self._housekeeping()
        return named

    def idle(self) -> None:
        self._housekeeping()

    def close(self) -> None:
        self._unknowns.close()
        self._desk.close()
        self._matcher.close()
        self._gallery.close()
        if self._log is not None:
            try:
                self._log.close()
            except OutputError as error:
                self._context.complain(error)

    def _name(self, tracks: Tracks) -> Identities:
        ref = tracks.ref
        self._newest[ref.camera] = tracks
        evidence = self._evidence.setdefault(ref.camera, Evidence(self._matcher.votes))
        for newer, older in tracks.revived:
            evidence.revive(newer, older, self._match)
            self._unknowns.end([(ref.camera, newer)])
        self._forget(ref.camera, evidence, [*tracks.ended, *evidence.stale(ref.seq)])
        self._vote(ref, evidence, tracks.faces)
        verdicts = evidence.verdicts([face.track for face in (*tracks.faces, *tracks.expected)], ref.seq)
        self._keep_unknown(ref, tracks.faces, verdicts)
        seen = tuple(_named(face, verdicts[face.track], evidence) for face in tracks.faces)
        expected = tuple(_named(face, verdicts[face.track]) for face in tracks.expected)
        return Identities(ref, self._space, seen, expected)

    def _vote(self, ref: FrameRef, evidence: Evidence, faces: Sequence[TrackedFace]) -> None:
        looks = {
            face.track: Look(np.array(face.embedding), face.quality, ref.seq)
            for face in faces
            if face.embedding is not None
        }
        if looks:
            found = self._match(np.stack([look.embedding for look in looks.values()]))
            for (track, look), matches in zip(looks.items(), found, strict=True):
                evidence.add(track, look, matches)

    def _match(self, embeddings: NDArray[np.float32]) -> list[list[Match]]:
        return self._matcher.match(embeddings, CANDIDATES)

    def _forget(self, camera: str, evidence: Evidence, ended: Sequence[int]) -> None:
        if ended:
            evidence.forget(ended)
            self._unknowns.end([(camera, track) for track in ended])

    # -- faces that nobody has a name for --

    def _new_unknowns(self) -> UnknownTracks:
        config = self._context.config.gallery
        days, seal = config.unknown_days, config.seal
        return UnknownTracks(config.path, near=self._near, space=self._space, days=days, seal=seal)

    def _keep_unknown(self, ref: FrameRef, faces: Sequence[TrackedFace], verdicts: dict[int, Verdict]) -> None:
        time = utc_iso(ref.captured_ns)
        for face in faces:
            track, verdict = (ref.camera, face.track), verdicts[face.track]
            is_somebody = verdict.state == "known" or verdict.by_stranger
            if not is_somebody and face.embedding is not None and self._unknowns.wants(track, face.quality):
                shot = Shot(np.array(face.embedding), time, face.quality, self._cutout(ref, face))
                self._unknowns.add(track, events.event_id(ref.camera, ref.seq, face.track), ref.pts_s, shot)
            self._unknowns.judged(track, "somebody" if is_somebody else verdict.state, ref.pts_s, time)

    def _cutout(self, ref: FrameRef, face: TrackedFace) -> Cutout | None:
        """None when a live camera has overwritten the frame."""
        lease = self._context.look.at(ref) if self._context.look is not None else None
        if lease is None:
            return None
        try:
            return cut_out(image_of(lease), face.box_xyxy, face.landmarks)
        finally:
            lease.release()

    # -- a name that a person gives to a face in the live picture --

    def _name_face(self, camera: str, track: int, name: str) -> int:
        evidence = self._evidence.get(camera)
        looks = evidence.looks(track) if evidence is not None else []
        shots = naming.shots_of(looks, self._unknowns.shots((camera, track)))
        if not any(shot.cutout for shot in shots):  # it had a name until now, so nothing was kept of it
            shots = naming.pictured(shots, self._cutout_now(camera, track))
        return naming.give(name, f"{camera} #{track}", shots, self._gallery, self._matcher)

    def _cutout_now(self, camera: str, track: int) -> Cutout | None:
        tracks = self._newest.get(camera)
        face = next((face for face in tracks.faces if face.track == track), None) if tracks is not None else None
        return None if tracks is None or face is None else self._cutout(tracks.ref, face)

    # -- between two records --

    def _housekeeping(self) -> None:
        if self._log is not None:
            self._log.write_waiting()
        self._desk.serve_waiting()
        self._follow_gallery()
        self._tell_health()
        try:
            self._unknowns.tick()
        except GalleryError as error:
            self._unknowns.give_up()
            self._keep_again.failed()
            self._context.complain(error)
        if self._keep_again.take():
            self._unknowns.close()
            self._unknowns = self._new_unknowns()

    def _follow_gallery(self) -> None:
        """Judge the faces in sight anew when the gallery has changed: here by its desk, or on its server."""
        now = now_ns()
        is_changed_here = self._gallery.changes != self._followed_changes
        if not (self._has_server or is_changed_here) or now < self._follow_at_ns:
            return
        self._followed_changes = self._gallery.changes
        if self._matcher.refresh() or is_changed_here:
            for evidence in self._evidence.values():
                evidence.judge_anew(self._matcher.votes, self._match)
        every_ns = _SERVER_EVERY_NS if self._has_server else _FOLLOW_EVERY_NS
        self._follow_at_ns = now_ns() + max(every_ns, _FOLLOW_SHARE * (now_ns() - now))

    def _tell_health(self) -> None:
        if not self._has_server:
            return
        health = self._gallery.health()
        if (health.away_s is not None) == self._is_away:
            return
        self._is_away = health.away_s is not None
        if self._is_away:
            self._context.say("the gallery's server does not answer; faces are looked up in the local copy")
        else:
            self._context.say("the gallery's server answers again")
        if self._log is not None:
            self._log.append(events.gallery("away" if self._is_away else "back", waiting=health.waiting))


def _named(face: TrackedFace, verdict: Verdict, evidence: Evidence | None = None) -> NamedFace:
    """`evidence` where it may be told why."""
    return NamedFace(
        track=face.track,
        box_xyxy=face.box_xyxy,
        landmarks=face.landmarks,
        quality=face.quality,
        name=verdict.name,
        state=verdict.state,
        score=verdict.score,
        margin=verdict.margin,
        votes=verdict.votes,
        why=evidence.why(face.track, verdict) if evidence is not None else None,
    )
