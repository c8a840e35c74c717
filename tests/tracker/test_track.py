from __future__ import annotations

from tracker.track import Phase, Track


def _confirmed() -> Track:
    track = Track()
    track.confirm(7)
    return track


def test_a_track_begins_without_an_id() -> None:
    track = Track()
    assert (track.phase, track.id, track.sightings) == (Phase.TENTATIVE, 0, 1)


def test_a_tentative_track_that_is_missed_is_over() -> None:
    track = Track()
    track.aged(1)
    track.missed(lost_frames=30)
    assert track.phase is Phase.REMOVED


def test_a_lost_track_comes_back_with_its_id() -> None:
    track = _confirmed()
    track.aged(1)
    track.missed(lost_frames=30)
    assert track.phase is Phase.LOST
    track.aged(1)
    track.seen()
    assert (track.phase, track.id, track.since_seen, track.sightings) == (Phase.CONFIRMED, 7, 0, 2)


def test_it_is_over_after_more_missed_frames_than_allowed() -> None:
    track = _confirmed()
    phases = []
    for _ in range(4):
        track.aged(1)
        track.missed(lost_frames=3)
        phases.append(track.phase)
    assert phases == [Phase.LOST] * 3 + [Phase.REMOVED]


def test_dropped_frames_count_as_missed() -> None:
    track = _confirmed()
    track.aged(4)
    track.missed(lost_frames=3)
    assert track.phase is Phase.REMOVED
