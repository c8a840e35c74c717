"""PARENT side of the processes: it owns the memory, watches who is alive, and starts again what died.

The children's side is `child`. Nothing here waits on a lock that a killed child could hold: a child's death is seen
by its sentinel, a hang by its silent heart, and its last words come through a pipe of its own.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection, wait

from checkpoints.errors import SourceError, Stalled
from pipeline import child
from pipeline.bell import Bell
from pipeline.board import Board, Life
from pipeline.child import ChildPlan, Said, SidePlan
from pipeline.clock import now_ns
from pipeline.config import RunConfig
from pipeline.first_contact import FirstContact
from pipeline.patience import Past, patience_of
from pipeline.watched import Happened, Watched
from pipeline.wiring import ProcessRow, SideRow

_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
_SPAWN = multiprocessing.get_context("spawn")


class Supervisor:
    """`poll` is called in a loop and returns what happened; it never waits longer than told."""

    def __init__(self, config: RunConfig, board: Board) -> None:
        self._run = config
        self._config = config.supervise
        self._board = board
        self._first_contact = FirstContact(waits=config.supervise.wait_for_cameras)
        self._watched: list[Watched] = []
        self._sources_gone = False
        self.sides_may_end = True  # false: there is something left that they should see, although the stages have ended
        self.parent_bell = Bell()

    def add(self, row: ProcessRow | SideRow, bell: Bell, plan: Callable[[int], ChildPlan | SidePlan]) -> None:
        past = Past(patience_of(row, self._run), self._config)
        self._watched.append(Watched(row, self._board.post(len(self._watched)), bell, plan, past))

    def start(self) -> None:
        """The last stage first, so that its readers are there when the first frame comes."""
        for name in _THREADS:
            os.environ.setdefault(name, "1")  # for the children: one stage, one thread, but for what engines are told
        for watched in reversed(self._watched):
            self._spawn(watched)

    @property
    def running(self) -> bool:
        return any(not watched.finished for watched in self._watched)

    @property
    def stages_ended(self) -> bool:
        return all(watched.finished for watched in self._watched if not watched.is_side)

    @property
    def ready(self) -> bool:
        """Every process has opened what it needs."""
        return all(w.finished or w.post.life in (Life.RUNNING, Life.ENDED) for w in self._watched)

    def resting(self) -> list[str]:
        """Who died too often and is let be for a while. The pause of a camera that is away is no such rest."""
        return [w.row.name for w in self._paused() if w.past.patience != "camera"]

    def shut(self) -> list[str]:
        """Stages through which nothing can come now, because they start or rest."""
        return [
            w.row.name
            for w in self._watched
            if w.post.life in (Life.STARTING, Life.RESTING) and not (w.finished or w.is_side or w.is_source)
        ]

    def away(self) -> list[str]:
        """Live cameras that wait for their next try."""
        return [w.row.name.partition(":")[2] for w in self._paused() if w.past.patience == "camera"]

    def pids(self) -> dict[str, int]:
        return {w.row.name: w.process.pid for w in self._watched if w.process is not None and w.process.pid}

    def at_work(self) -> dict[str, int]:
        """The pids of those that have opened what they need."""
        names = {w.row.name for w in self._watched if w.post.life is Life.RUNNING}
        return {name: pid for name, pid in self.pids().items() if name in names}

    def poll(self, timeout_s: float) -> list[Happened]:
        """Waits for a death, a message, the bell or the next restart that is due."""
        now = now_ns()
        due = [w.start_at_ns for w in self._watched if w.start_at_ns is not None]
        timeout_s = min([timeout_s, *(max(0.0, (at - now) / 1e9) for at in due)])
        sentinels = {w.process.sentinel: w for w in self._watched if w.process is not None}
        pipes = {w.pipe: w for w in self._watched if w.pipe is not None}
        ready = wait([self.parent_bell.fileno(), *sentinels, *pipes], timeout_s)
        happened: list[Happened] = []
        for thing in ready:
            if isinstance(thing, Connection):
                happened += self._hear(pipes[thing])
        self.parent_bell.silence()
        for thing in ready:
            if isinstance(thing, int) and thing in sentinels:
                happened += self._bury(sentinels[thing])
        self._let_sources_go()
        self._let_sides_end()
        for watched in self._watched:
            watched.leave_if_old(self._config.stop_timeout_s)
        happened += self._kill_the_silent()
        happened += self._start_what_is_due()
        return happened

    def gone(self) -> list[str]:
        """Who will not be started again and has not ended in order: nobody ends its rings for it but the parent."""
        return [w.row.name for w in self._watched if w.finished and not w.is_side and w.post.life is not Life.ENDED]

    def renew(self, name: str) -> None:
        """Let a process end in order and start it again where it was, as soon as it runs."""
        next(w for w in self._watched if w.row.name == name).renew()

    def ask_sources_to_stop(self) -> None:
        """The orderly end: sources publish nothing more, and each stage ends when it has read all."""
        for watched in self._watched:
            if not watched.is_side:
                self._ask_to_stop(watched)

    @staticmethod
    def _ask_to_stop(watched: Watched) -> None:
        watched.post.ask_to_stop()
        watched.bell.ring()
        if not watched.alive and watched.start_at_ns is not None:
            watched.start_at_ns = None
            watched.finished = True

    def _let_sides_end(self) -> None:
        """Those beside the way see a run to its end."""
        if self.stages_ended and self.sides_may_end:
            for watched in self._watched:
                if watched.is_side and not watched.post.asked_to_stop:
                    self._ask_to_stop(watched)

    def kill(self) -> None:
        """The hard end, first stage first. Returns when no process is left."""
        for watched in self._watched:
            if watched.process is not None:
                watched.process.kill()
        for watched in self._watched:
            if watched.process is not None:
                watched.process.join()
                watched.forget()
            watched.finished = True
            watched.start_at_ns = None

    def close(self) -> None:
        self.kill()
        for watched in self._watched:
            watched.bell.close()
        self.parent_bell.close()

    def _paused(self) -> list[Watched]:
        return [w for w in self._watched if w.post.life is Life.RESTING and not w.finished]

    def _spawn(self, watched: Watched) -> None:
        watched.start_at_ns = None
        watched.refused = watched.why_killed = watched.leave_by_ns = None
        watched.to_renew = watched.was_silent = False
        watched.last_words = ""
        watched.started_ns = now_ns()
        watched.post.begin()
        hear, speak = _SPAWN.Pipe(duplex=False)
        plan = watched.plan(watched.generation)
        watched.process = _SPAWN.Process(target=child.main, args=(plan, speak), name=watched.row.name)
        watched.process.start()
        speak.close()
        watched.pipe = hear

    def _hear(self, watched: Watched) -> list[Happened]:
        happened: list[Happened] = []
        while watched.pipe is not None and watched.pipe.poll():
            try:
                said: Said = watched.pipe.recv()
            except (EOFError, OSError):  # it died, perhaps in the middle of a word
                watched.pipe.close()
                watched.pipe = None
                break
            if said.kind == "error" and watched.may_come_back_after(said.error):
                watched.refused = said.error  # what becomes of it is told when its process has ended
            else:
                watched.last_words = said.text.rstrip().rpartition("\n")[2] if said.kind == "crash" else ""
                happened.append(Happened(said.kind, watched.row.name, said.text, said.error))
        return happened

    def _bury(self, watched: Watched) -> list[Happened]:
        happened = self._hear(watched)
        assert watched.process is not None
        watched.process.join()
        code = watched.process.exitcode
        watched.forget()
        if watched.leave_by_ns is not None and watched.post.life is not Life.ENDED:
            watched.generation += 1
            self._spawn(watched)
            return happened
        if code == 0:
            watched.finished = True
            return happened
        if code == child.EXIT_USER_ERROR and watched.refused is None:
            watched.finished = True  # trying again would find the same
            return happened
        if watched.is_source and watched.post.asked_to_stop:
            watched.finished = True  # it had nothing more to give
            return happened
        if watched.past.patience == "camera":
            return [*happened, self._try_camera_again(watched, watched.manner_of_death(code))]
        return happened + [self._restart_or_give_up(watched, watched.manner_of_death(code))]

    def _try_camera_again(self, watched: Watched, how: str) -> Happened:
        kind = Stalled if watched.why_killed else SourceError
        error = watched.refused or kind("There is no picture.", saw=f"{watched.row.name} {how}")
        if not watched.post.worked_ns:
            sources = [(w.row.name, w.post.worked_ns > 0) for w in self._watched if w.is_source]
            last_word = self._first_contact.refused(watched.row.name, error, sources)
            if last_word is not None:
                watched.finished = True
                return Happened("error", watched.row.name, str(last_word), last_word)
        pause_s = watched.past.died(now_ns(), watched.death()).pause_s
        text = f"{error.saw or error.what}; trying again in {pause_s:.1f} s"
        watched.begin_again(pause_s, rests=True)
        return Happened("away", watched.row.name, text, error, watched.generation)

    def _restart_or_give_up(self, watched: Watched, how: str) -> Happened:
        sentence = watched.past.died(now_ns(), watched.death())
        name, how = watched.row.name, f"{how}, {sentence.why}" if sentence.why else how
        if sentence.kind == "given up":
            watched.finished = True
            return Happened("lost" if watched.is_side else "failed", name, how, generation=watched.generation)
        watched.on_trial = sentence.kind == "rests"
        watched.begin_again(sentence.pause_s, rests=watched.on_trial)
        return Happened("rests" if watched.on_trial else "restarted", name, how, generation=watched.generation)

    def _kill_the_silent(self) -> list[Happened]:
        return [what for watched in self._watched for what in watched.kill_if_silent(self._config.start_timeout_s)]

    def _let_sources_go(self) -> None:
        if self._sources_gone or not all(
            w.post.life >= Life.RUNNING for w in self._watched if not (w.is_source or w.is_side)
        ):
            return
        self._sources_gone = True
        for watched in self._watched:
            watched.post.let_go()
            watched.bell.ring()

    def _start_what_is_due(self) -> list[Happened]:
        happened = []
        for watched in self._watched:
            if watched.start_at_ns is None or watched.start_at_ns > now_ns():
                continue
            self._spawn(watched)
            if watched.on_trial:
                watched.on_trial = False
                happened.append(Happened("tried", watched.row.name, "has rested", generation=watched.generation))
        return happened
