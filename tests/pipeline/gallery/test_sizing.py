from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.gallery import regulars, sizing
from pipeline.gallery.copy import Pace
from pipeline.gallery.sizing import Demand, Machine, memory_bytes_of_point, search_ms, shortages, sized

SMALL = Demand(people=1_000, pictures_each=2, cameras=10)
LARGE = Demand()


def test_the_sums_of_a_small_one_by_hand() -> None:
    plan = sized(replace(SMALL, cutout_bytes=0), Machine(cost=10.0), replicas=1)
    assert (plan.nodes, plan.points, plan.shards, plan.replicas, plan.cost) == (1, 2_000, 1, 1, 10.0)
    assert plan.memory_gb * 1e9 == pytest.approx(2_000 * memory_bytes_of_point(128, indexes_on_disk=False) * 1.5)
    assert plan.asked_per_s == pytest.approx(10 * 360 / 3600 * 5 * 3)
    assert plan.searches_per_s == pytest.approx(8 * 0.7 * 1000 / search_ms(2_000, 128))
    assert plan.between_mbit_s == 0


def test_the_fewest_nodes_are_found_and_one_less_is_too_few() -> None:
    demand = replace(LARGE, cameras=3_000)
    plan = sized(demand, Machine())
    assert shortages(plan, Machine()) == []
    assert plan.nodes > 3
    assert shortages(sized(demand, Machine(), nodes=plan.nodes - 1), Machine())


def test_one_node_of_a_cluster_may_be_lost() -> None:
    """The searches that can be done are those of all nodes but one."""
    three, four = (sized(replace(LARGE, people=1000), Machine(), nodes=n) for n in (3, 4))
    work = [plan.searches_per_s * plan.shards * search_ms(plan.points / plan.shards, 128) for plan in (three, four)]
    assert work[1] / work[0] == pytest.approx(3 / 2)


def test_fewer_shards_are_less_work_as_long_as_every_node_has_one() -> None:
    few, many, too_few = (sized(LARGE, Machine(), nodes=8, shards=n) for n in (4, 16, 1))
    assert few.searches_per_s > 2 * many.searches_per_s
    assert too_few.shards * too_few.replicas == 2  # of eight nodes two have work, and one of them may be lost
    assert too_few.searches_per_s < few.searches_per_s
    assert any(sentence.startswith("shards, 1 on 2") for sentence in shortages(too_few, Machine()))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"people": 10**9}, "memory"),
        ({"cutout_bytes": 10**6}, "disk"),
        ({"cameras": 10**6}, "processors"),
    ],
)
def test_what_there_is_too_little_of_is_said(change: dict[str, int], word: str) -> None:
    short = shortages(sized(replace(LARGE, **change), Machine(), nodes=4), Machine())
    assert any(sentence.startswith(word) for sentence in short)


def test_vectors_that_do_not_fit_beside_the_index_are_read_from_the_disk() -> None:
    roomy, tight = (sized(LARGE, Machine(memory_gb=gb), nodes=4) for gb in (64, 12))
    assert roomy.reads_per_s == 0
    assert tight.reads_per_s > 0
    assert shortages(tight, Machine(memory_gb=12, reads_per_s=100))


def test_more_people_are_found_in_little_more_time() -> None:
    assert search_ms(2_000_000, 128) < 2.5 * search_ms(200_000, 128)
    assert search_ms(200_000, 512) > search_ms(200_000, 128)


def test_what_no_number_of_nodes_can_do_is_planned_all_the_same_and_said() -> None:
    demand = replace(LARGE, people=10**9, cutout_bytes=10**6)
    assert shortages(sized(demand, Machine(memory_gb=1, disk_gb=1)), Machine(memory_gb=1, disk_gb=1))


def test_what_cameras_ask_for_besides_faces_is_counted() -> None:
    plan = sized(replace(LARGE, cameras=30), Machine())
    assert plan.follow_per_s == pytest.approx(30 * (2 / 20 + 2 / 300))
    assert plan.listed_per_s == 30 * 1_500 / 300
    assert plan.follow_mbit_s < plan.request_mbit_s
    assert sized(replace(LARGE, cameras=30, pictures_each=100), Machine()).listed_per_s == 30 * 5_000 / 300
    assert sized(replace(SMALL, people=7), Machine()).listed_per_s == pytest.approx(10 * 14 / 300)


def test_cameras_do_what_is_counted_for_them() -> None:
    assert (sizing.REGULARS, sizing.REGULARS_PICTURES) == (regulars.MOST_PEOPLE, regulars.MOST_PICTURES)
    assert (Pace().pull_s, regulars.ALL_EVERY_S) == (sizing.FOLLOW_EVERY_S, sizing.REGULARS_EVERY_S)
