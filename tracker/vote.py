"""The votes of one camera: a person is in one place, so a name stands on one face of a frame at most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tracker.ballot import NO_VERDICT, Ballot, Candidate, Likeness, Shot, Verdict, VoteSettings

__all__ = ["Ballots", "Candidate", "Likeness", "Shot", "Verdict", "VoteSettings"]


class Ballots:
    """The ballots of one camera's tracks, and which of them holds which name.

    When two faces of a frame have earned one name, the face that has held it keeps it, unless the other's evidence is
    better by the margin between names; then neither has it in this frame, and the other from the next one on.
    """

    def __init__(self, settings: VoteSettings) -> None:
        self._settings = settings
        self._ballots: dict[int, Ballot] = {}
        self._holders: dict[str, int] = {}

    @property
    def settings(self) -> VoteSettings:
        return self._settings

    @settings.setter
    def settings(self, settings: VoteSettings) -> None:
        self._settings = settings
        for ballot in self._ballots.values():
            ballot.use(settings)

    def add(self, track: int, candidates: Sequence[Candidate], quality: float, frame: int = 0) -> None:
        self._ballots.setdefault(track, Ballot(self._settings)).add(candidates, quality, frame)

    def verdicts(self, tracks: Sequence[int]) -> dict[int, Verdict]:
        """For each track of one frame; a track without a shot is undecided. To be called once a frame."""
        verdicts = {track: self._ballots[track].verdict() if track in self._ballots else NO_VERDICT for track in tracks}
        claims: dict[str, list[int]] = {}
        for track, verdict in verdicts.items():
            if verdict.name is not None:
                claims.setdefault(verdict.name, []).append(track)
        for name, claimants in claims.items():
            keeper = self._keeper(name, claimants, verdicts)
            for track in claimants:
                if track != keeper:
                    verdicts[track] = replace(verdicts[track], state="undecided", name=None)
        return verdicts

    def shots(self, track: int) -> tuple[Shot, ...]:
        """Why this track has its verdict: its shots, oldest first; none for a track that is not known."""
        return self._ballots[track].shots() if track in self._ballots else ()

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks have ended."""
        ended = set(tracks)
        for track in ended:
            self._ballots.pop(track, None)
        self._holders = {name: track for name, track in self._holders.items() if track not in ended}

    def _keeper(self, name: str, claimants: list[int], verdicts: dict[int, Verdict]) -> int | None:
        """Which of the faces that have earned the name bears it in this frame; None: it is about to change hands."""

        def worth(track: int) -> tuple[float, float, int, int]:
            """The better evidence first, then the older track."""
            verdict = verdicts[track]
            return -verdict.score, -verdict.margin, -verdict.votes, track

        best = min(claimants, key=worth)
        holder = self._holders.get(name)
        if holder is None or holder == best or holder not in verdicts:
            self._holders[name] = best
            return best
        if holder not in claimants:
            # It was shown on the holder until now, who is still in the picture and has just lost it.
            self._holders[name] = best
            return None
        if verdicts[best].score >= verdicts[holder].score + self._settings.margin:
            self._holders[name] = best
            return None
        return holder
