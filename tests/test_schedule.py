"""What a stop does to the jobs that are running."""

import asyncio
from datetime import timedelta

import pytest

from bot.schedule import Entry, Schedule

SOON = timedelta(seconds=0.01)


class Job:
    """Takes some seconds, and says how it ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.began = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> None:
        self.began.set()
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.ended.set_result("cut off")
            raise
        self.ended.set_result("by itself")


async def stopped_while_running(job: Job, *, finish: float) -> str:
    schedule = Schedule((Entry("a job", SOON, job, finish=timedelta(seconds=finish)),))
    schedule.start()
    await job.began.wait()
    await schedule.stop()
    return await asyncio.wait_for(job.ended, 5)


async def test_a_job_that_must_not_be_cut_off_ends_by_itself_before_the_stop_is_over() -> None:
    assert await stopped_while_running(Job(seconds=0.3), finish=5) == "by itself"


async def test_a_job_that_nothing_is_lost_with_is_cut_off_at_once() -> None:
    assert await stopped_while_running(Job(seconds=60), finish=0) == "cut off"


async def test_a_job_that_does_not_end_holds_a_stop_up_for_no_longer_than_its_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await stopped_while_running(Job(seconds=60), finish=0.2) == "cut off"
    assert "'a job' did not end within" in caplog.text


async def test_nothing_fires_after_a_stop() -> None:
    fired: list[int] = []

    async def job() -> None:
        fired.append(1)

    schedule = Schedule((Entry("a job", SOON, job),))
    schedule.start()
    await asyncio.sleep(0.1)
    await schedule.stop()
    before = len(fired)
    await asyncio.sleep(0.1)
    assert 0 < before == len(fired)
