import threading

import pytest

from fer_desktop.playback.newest_job import NewestJob

pytestmark = pytest.mark.usefixtures("no_thread_stays")


@pytest.fixture
def jobs():
    jobs = NewestJob("test")
    yield jobs
    jobs.stop()


def test_what_was_not_begun_is_replaced_by_what_was_asked_last(jobs, until):
    go_on, begun, done = threading.Event(), threading.Event(), []

    def first():
        begun.set()
        go_on.wait(10)
        done.append("first")

    jobs.do(first)
    assert begun.wait(10)
    for name in ("second", "third", "fourth"):
        jobs.do(lambda name=name: done.append(name))
    go_on.set()
    until(lambda: len(done) == 2)
    assert done == ["first", "fourth"]


def test_what_is_forgotten_is_not_done(jobs, until):
    go_on, begun, done = threading.Event(), threading.Event(), []
    jobs.do(lambda: (begun.set(), go_on.wait(10)))
    assert begun.wait(10)
    jobs.do(lambda: done.append("forgotten"))
    jobs.forget()
    go_on.set()
    jobs.do(lambda: done.append("wanted"))
    until(lambda: done)
    assert done == ["wanted"]


def test_a_job_that_fails_is_told_and_the_next_one_is_done(jobs, until, monkeypatch):
    told, done = [], []
    monkeypatch.setattr(threading, "excepthook", lambda args: told.append(args.exc_value))
    jobs.do(lambda: 1 / 0)
    until(lambda: told)
    jobs.do(lambda: done.append("next"))
    until(lambda: done)
    assert isinstance(told[0], ZeroDivisionError)


def test_one_that_never_worked_ends_without_a_thread():
    jobs = NewestJob("test")
    jobs.stop()
    jobs.do(lambda: pytest.fail("it has ended"))
    assert jobs.ident is None
