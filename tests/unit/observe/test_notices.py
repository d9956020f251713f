"""Kinds of errors are counted, bounded and forgotten in time; no text is kept."""

import logging
import threading

from kumobashi.observe.notices import MOST_KINDS, NoticeHandler, Notices


def test_a_flood_of_kinds_is_bounded_and_counted() -> None:
    notices = Notices(clock=lambda: 100.0)
    for number in range(MOST_KINDS * 3):
        notices.note(f"storage.kind_{number}", "kumobashi")
    found = notices.recent(seconds=60)
    assert len(found) == MOST_KINDS
    assert found[0].code == f"storage.kind_{MOST_KINDS * 3 - 1}"  # the newest stay
    assert notices.total == MOST_KINDS * 3


def test_what_is_long_past_begins_anew() -> None:
    now = [100.0]
    notices = Notices(clock=lambda: now[0])
    notices.note("storage.failed", "kumobashi")
    now[0] = 200.0
    assert notices.recent(seconds=60) == ()
    notices.note("storage.failed", "kumobashi")
    (one,) = notices.recent(seconds=60)
    assert (one.count, one.first) == (1, 200.0)


def test_threads_that_note_at_once_lose_nothing() -> None:
    notices = Notices()

    def note() -> None:
        for _ in range(1_000):
            notices.note("storage.failed", "kumobashi")

    threads = [threading.Thread(target=note) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert notices.recent(seconds=60)[0].count == notices.total == 8_000


def test_a_warning_is_no_error_and_an_exception_without_a_code_has_a_name() -> None:
    notices = Notices()
    logger = logging.getLogger("kumobashi.observe.notices.for_a_test")
    logger.propagate = False
    handler = NoticeHandler(notices)
    logger.addHandler(handler)
    try:
        logger.warning("x")
        logger.error("山田太郎")
        try:
            raise ValueError("山田太郎")  # noqa: TRY301
        except ValueError:
            logger.exception("x")
    finally:
        logger.removeHandler(handler)
    found = notices.recent(seconds=60)
    assert {one.code for one in found} == {"log.error", "log.exception"}
    assert "山田" not in repr(found)
