"""Running several elements of a FOREACH at the same time.

Each of them is run by a machine of its own, a *lane*, on top of the frames of the run, in a task. What the lanes share (the
budget, the components) does not tell them apart, and what tells them apart (results, failures, traces, warnings) is taken
over in the order of the list. So everything about a run but its times is the same in whatever order its elements end.

An element that waits for a callback keeps its place among those that run at the same time. The run pauses when all
elements that have begun have ended or wait, and no other may begin.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .cancellation import end_tasks
from .failures import NodeFailure, PauseRequest
from .for_each import element_failure, end_loop, failed_element, note_element
from .frames import RunElements, element_frame
from .runner import Lane

if TYPE_CHECKING:
    from .budget import TraceRoom
    from .frames import ForEach, Frame
    from .runner import Runner


async def run_lane(lane: Lane) -> None:
    """Run an element until it ends or waits.

    Raises:
        NodeFailure: A failure that ends the whole run.
    """
    machine = lane.machine
    try:
        if lane.delivered is not None:
            (item, result, error), lane.delivered = lane.delivered, None
            machine.deliver(machine.frames[-1], item, result, error)
        lane.result = await machine.run()
    except PauseRequest as pause:
        lane.pause = pause
        return
    except NodeFailure as failure:
        if failure.final:
            raise
        lane.result, lane.failure = failed_element(lane.frame, failure), failure
    else:
        lane.failure = element_failure(lane.frame, lane.result)
    lane.is_done = True


def open_lane(
    machine: Runner, frame: Frame, loop: ForEach, index: int, most: TraceRoom | None = None
) -> Lane:
    """Return a new lane for an element, whose trace and warnings are its own until they are taken over.

    Args:
        machine: The run.
        frame: The frame of the FOREACH.
        loop: The FOREACH.
        index: The element's position.
        most: The room in the trace when the elements began: what is left later depends on which of them have ended.
    """
    room = (most or machine.trace_room).share(min(loop.at_once, len(loop.elements)))
    element = element_frame(frame, loop, index)
    element.trace, element.warnings, element.failed_nodes = [], {}, {}
    lane = machine.lanes[index] = Lane(index, machine.lane(element, room), element)
    return lane


def open_lanes(machine: Runner) -> list[Lane]:
    """Return the elements that have begun and were not taken over, in the order of the list."""
    return [machine.lanes[index] for index in sorted(machine.lanes)]


async def run_elements(machine: Runner, frame: Frame) -> None:
    """Run the elements of the FOREACH of a frame, and go on to its end.

    Raises:
        NodeFailure: A failure that ends the whole run, or all elements failed.
        PauseRequest: All elements that have begun and have not ended wait for a callback.
    """
    loop = frame.for_each
    assert loop is not None, "the work is there because of a FOREACH"  # noqa: S101
    running: dict[asyncio.Task[None], Lane] = {}
    most = machine.trace_room.share(1)
    try:
        _start(running, [lane for lane in open_lanes(machine) if lane.delivered is not None])
        while True:
            _start(running, _begin(machine, frame, loop, most))
            if not running:
                break
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: running[task].index):
                task.result()
                del running[task]
            _take_over(machine, frame, loop)
    except BaseException:
        unfinished = min(running.values(), key=lambda lane: lane.index, default=None)
        if unfinished is not None:
            machine.current = unfinished.machine.current
        raise
    finally:
        await end_tasks(running)
    waiting = [lane.pause for lane in open_lanes(machine) if lane.pause is not None]
    if waiting:
        frame.work.append(RunElements())
        raise waiting[0]
    end_loop(machine, frame, loop)


def _start(running: dict[asyncio.Task[None], Lane], lanes: list[Lane]) -> None:
    for lane in lanes:
        running[asyncio.create_task(run_lane(lane))] = lane


def _begin(machine: Runner, frame: Frame, loop: ForEach, most: TraceRoom) -> list[Lane]:
    """Open lanes for as many elements as may begin now."""
    begun: list[Lane] = []
    free = loop.at_once - sum(not lane.is_done for lane in machine.lanes.values())
    index = len(loop.results) + len(machine.lanes)
    # What has ended out of order is held until those before it end; that has a bound, too.
    held = sum(lane.machine.trace_room.used for lane in machine.lanes.values())
    while free > 0 and index < len(loop.elements) and held <= machine.limits.trace_bytes:
        machine.check_depth(frame.plan.nodes[loop.node].id)
        begun.append(open_lane(machine, frame, loop, index, most))
        free, index = free - 1, index + 1
    return begun


def _take_over(machine: Runner, frame: Frame, loop: ForEach) -> None:
    """Take over the elements that have ended, up to the first one that has not."""
    while (lane := machine.lanes.get(len(loop.results))) is not None and lane.is_done:
        del machine.lanes[lane.index]
        take_notes(machine, frame, lane)
        note_element(loop, lane.result, lane.failure)


def take_notes(machine: Runner, frame: Frame, lane: Lane) -> None:
    """Take over what an element has noted so far."""
    frame.trace.extend(map(machine.trace_room.fit, lane.frame.trace))
    for node, placeholder in lane.frame.warnings:
        frame.warn(node, [placeholder])
    frame.failed_nodes.update(lane.frame.failed_nodes)
