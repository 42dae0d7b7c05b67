"""Where the time of an attempt went."""

from antiphon.outbound.timeline import ConnectionUse, PhaseTimes, Timeline


class Clock:
    now = 100.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def test_every_step_of_a_new_connection_has_its_time() -> None:
    timeline = Timeline(Clock())
    timeline.asked()
    timeline.dialled("203.0.113.7:443")
    timeline.greeted()
    timeline.connected()
    timeline.answered()
    phases = timeline.phases
    for spent in (phases.resolve, phases.connect, phases.tls, phases.first_byte):
        assert spent is not None and round(spent, 6) == 1.0
    assert timeline.connection is ConnectionUse.NEW


def test_a_kept_connection_has_only_the_answer() -> None:
    timeline = Timeline(Clock())
    timeline.asked()
    timeline.connected()
    timeline.answered()
    assert timeline.connection is ConnectionUse.KEPT
    phases = timeline.phases
    assert (phases.resolve, phases.connect, phases.tls) == (None, None, None)
    assert phases.first_byte is not None


def test_the_step_that_broke_off_counts_until_now_and_the_later_ones_are_missing() -> None:
    timeline = Timeline(Clock())
    timeline.asked()
    timeline.dialled("203.0.113.7:443")
    phases = timeline.phases
    assert phases.connect is not None and phases.connect > 0
    assert (phases.tls, phases.first_byte) == (None, None)
    assert timeline.connection is None


def test_what_was_never_asked_for_has_no_times() -> None:
    assert Timeline(Clock()).phases == PhaseTimes()


def test_sending_again_over_a_new_connection_says_replaced_and_times_the_second_one() -> None:
    timeline = Timeline(Clock())
    timeline.asked()
    timeline.connected()
    assert timeline.over_kept
    timeline.restart()
    timeline.asked()
    timeline.dialled("203.0.113.7:443")
    timeline.connected()
    assert not timeline.over_kept
    assert timeline.connection is ConnectionUse.REPLACED
    assert timeline.phases.connect is not None
