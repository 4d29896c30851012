"""Signs of life: what is stuck, and what only waits."""

from gateway.domain.pulse import Beat, Limits, Pulse

LIMITS = Limits(memory_s=10, broker_s=20, radio_s=30, timer_s=5)


class Time:
    """Seconds moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_work_that_does_not_end_is_stuck() -> None:
    """Each kind of work has its own limit."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    pulse.beat("outbox").on_broker()
    pulse.beat("lock front").on_radio()
    pulse.beat("database").on_memory()
    time.now += 10
    assert pulse.stuck() == {}
    time.now += 1
    assert pulse.stuck() == {"database": "at the database, 1 s overdue"}
    time.now += 20
    assert pulse.stuck().keys() == {"database", "outbox", "lock front"}


def test_waiting_for_others_is_life() -> None:
    """For a broker that is away a task waits for days."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    beat = pulse.beat("outbox")
    beat.on_broker()
    beat.idle()
    time.now += 1_000_000
    assert pulse.stuck() == {}


def test_a_sleeper_must_wake_up() -> None:
    """At the time it said, give or take what timers are late."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    pulse.beat("lock front").asleep(3600)
    time.now += 3605
    assert pulse.stuck() == {}
    time.now += 1
    assert pulse.stuck() == {"lock front": "asleep, 1 s overdue"}


def test_who_turns_again_is_no_longer_stuck() -> None:
    """It was slow, not dead."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    beat = pulse.beat("database")
    beat.on_memory()
    time.now += 11
    assert pulse.stuck()
    beat.asleep(1)
    assert pulse.stuck() == {}


def test_a_task_that_has_ended_is_forgotten() -> None:
    """And one of the same name begins anew."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    pulse.beat("lock front").on_radio()
    time.now += 31
    pulse.drop("lock front")
    pulse.drop("never there")
    assert pulse.stuck() == {}
    pulse.beat("lock front")
    assert pulse.stuck() == {}


def test_a_task_that_runs_out_is_forgotten_whatever_it_did_last() -> None:
    """Also where it was cancelled in the middle of something."""
    time = Time()
    pulse = Pulse(time, LIMITS)
    with pulse.beating("pairing front") as beat:
        beat.on_radio()
        time.now += 31
        assert pulse.stuck().keys() == {"pairing front"}
    assert pulse.stuck() == {}


def test_successors_go_on_with_the_same_sign() -> None:
    """A driver that is made anew takes over what the one before said."""
    pulse = Pulse(Time(), LIMITS)
    assert pulse.beat("driver zwave") is pulse.beat("driver zwave")


def test_nobody_needs_to_watch() -> None:
    """Parts that run alone, in tests and benchmarks, need no clock for it."""
    beat = Beat()
    beat.on_radio()
    assert beat.stuck() is None
