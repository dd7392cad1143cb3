"""The bounded queue, the deadline and the states without a model: the real application, without the server."""

import asyncio
import math
import os
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_world import PIXELS, SIDE_PX, gate, opened, picture, run, stylize, until

from service.admission import PixelQueue
from service.errors import QueueFull, Refusal, ServiceSettingsError
from service.lane import EngineLane, Ticket
from service.problems import as_refusal
from service.settings import ServiceSettings


def scope_of(headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/v1/stylize", "headers": headers, "query_string": b""}


def test_a_full_queue_is_429_with_retry_after_and_empties_again(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, queue_pixels=PIXELS)) as (studio, client, _):
            gated = gate(studio)
            first = asyncio.create_task(stylize(client, picture(SIDE_PX)))
            await until(gated.reached.is_set)
            second = await stylize(client, picture(32))
            assert second.status_code == 429
            assert 1 <= int(second.headers["retry-after"]) <= 60
            assert "busy" in second.json()["detail"]
            gated.let.set()
            assert (await first).status_code == 200
            assert studio.queue.pixels == 0
            assert (await stylize(client, picture(32))).status_code == 200

    run(test)


def test_too_many_requests_at_once_are_429_before_their_bodies_are_read(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, queue_requests=1)) as (studio, client, front):
            gated = gate(studio)
            first = asyncio.create_task(stylize(client, picture(SIDE_PX)))
            await until(gated.reached.is_set)

            async def never_sent() -> dict[str, Any]:
                raise AssertionError("the body was asked for")

            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            await front(scope_of([(b"content-type", b"multipart/form-data; boundary=b")]), never_sent, send)
            assert sent[0]["status"] == 429
            gated.let.set()
            assert (await first).status_code == 200

    run(test)


def test_while_a_picture_like_the_last_would_not_fit_bodies_are_not_read():
    queue = PixelQueue(capacity_pixels=100, capacity_requests=10)
    permits = [queue.admit(30), queue.admit(30), queue.admit(30)]
    with pytest.raises(QueueFull), queue.visit():
        pass
    permits.pop().release()
    with queue.visit():  # now it might
        permits.append(queue.admit(30))


def test_a_huge_picture_that_was_refused_keeps_nobody_out_of_a_queue_with_room():
    queue = PixelQueue(capacity_pixels=100, capacity_requests=10)
    small = [queue.admit(10) for _ in range(7)]
    with queue.visit(), pytest.raises(QueueFull):
        queue.admit(90)
    with queue.visit():
        small.append(queue.admit(10))


@given(sizes=st.lists(st.integers(min_value=0, max_value=300), max_size=30))
def test_an_empty_queue_lets_anybody_in_whatever_came_before(sizes):
    queue = PixelQueue(capacity_pixels=100, capacity_requests=10)
    for size in sizes:
        with queue.visit():
            queue.admit(size).release()


def test_a_refusal_does_not_wait_behind_decoding(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, queue_pixels=PIXELS)) as (studio, client, _):
            gated, slow = gate(studio), threading.Event()
            first = asyncio.create_task(stylize(client, picture(SIDE_PX // 2)))
            await until(gated.reached.is_set)
            decoding = [asyncio.create_task(studio.in_thread(lambda: slow.wait(30))) for _ in range(8)]
            assert (await stylize(client, picture(SIDE_PX))).status_code == 429
            assert (await client.get("/metrics")).status_code == 200
            slow.set()
            gated.let.set()
            await asyncio.gather(first, *decoding)

    run(test)


def test_at_the_deadline_the_client_gets_504_and_the_permit_stays_until_the_work_has_ended(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, deadline_s=1.0, queue_pixels=PIXELS)) as (studio, client, _):
            gated = gate(studio)
            late = await stylize(client, picture(SIDE_PX))
            assert late.status_code == 504
            assert "1 s" in late.json()["detail"]
            assert gated.reached.is_set()
            assert studio.queue.requests == 0
            assert studio.queue.pixels == PIXELS  # a thread still paints, so nobody may start beside it
            assert (await stylize(client, picture(32))).status_code == 429
            gated.let.set()
            await until(lambda: studio.queue.pixels == 0)
            assert studio.queue.admitted == 0

    run(test)


def test_work_that_nobody_waits_for_any_more_is_not_begun(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, deadline_s=1.0)) as (studio, client, _):
            gated = gate(studio)
            both = await asyncio.gather(stylize(client, picture(SIDE_PX)), stylize(client, picture(SIDE_PX)))
            assert [answer.status_code for answer in both] == [504, 504]
            gated.let.set()
            await until(lambda: studio.queue.pixels == 0)
            assert gated.painted == 1  # the one that had begun

    run(test)


def test_a_client_that_goes_away_frees_its_place_and_is_counted(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (studio, client, front):
            request = client.build_request(
                "POST", "/v1/stylize", files={"image": ("x", picture(SIDE_PX))}, data={"style": "waves"}
            )
            body = [await request.aread()]

            async def receive() -> dict[str, Any]:
                if body:
                    return {"type": "http.request", "body": body.pop(), "more_body": False}
                await until(lambda: studio.queue.pixels > 0)
                return {"type": "http.disconnect"}

            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            await front(scope_of([(name.lower(), value) for name, value in request.headers.raw]), receive, send)
            assert sent == []
            assert studio.queue.requests == 0
            await until(lambda: studio.queue.pixels == 0)
            assert b'status="499"' in studio.metrics.exposition()

    run(test)


def test_a_slow_upload_is_408(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, upload_timeout_s=0.1)) as (_, _client, front):

            async def receive() -> dict[str, Any]:
                await asyncio.sleep(0.06)
                return {"type": "http.request", "body": b"--b\r\n", "more_body": True}

            sent: list[Any] = []

            async def send(message: Any) -> None:
                sent.append(message)

            await front(scope_of([(b"content-type", b"multipart/form-data; boundary=b")]), receive, send)
            assert sent[0]["status"] == 408

    run(test)


def test_requests_of_one_size_that_wait_are_painted_together_and_each_gets_its_own(service_settings):
    async def test() -> None:
        async with opened(replace(service_settings, max_batch=8)) as (studio, client, _):
            orders = [
                {"strength": "0.25"},
                {"strength": "0.5"},
                {"strength": "1"},
                {"style": "nobody"},
                {"strength": "0"},
            ]
            alone = [(await stylize(client, picture(SIDE_PX), **order)).content for order in orders]
            other = (await stylize(client, picture(32))).content
            gated = gate(studio)
            first = asyncio.create_task(stylize(client, picture(48)))
            await until(gated.reached.is_set)
            waiting = [asyncio.create_task(stylize(client, picture(SIDE_PX), **order)) for order in orders]
            waiting.append(asyncio.create_task(stylize(client, picture(32))))
            await until(lambda: len(studio._batcher._waiting) == 5)  # the unknown style was refused before it waited
            gated.let.set()
            answers = await asyncio.gather(*waiting)
            assert (await first).status_code == 200
            assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 200, 200]
            for answer, expected in zip(answers, [*alone, other], strict=True):
                assert answer.status_code == 404 or answer.content == expected
            told = studio.metrics.exposition().decode()
            assert 'pentimento_batch_size_bucket{le="2.0"}' in told
            sizes = {line.split()[-1] for line in told.splitlines() if line.startswith("pentimento_batch_size_sum")}
            assert sizes == {"11.0"}  # five alone at first, then one, three together, one and one
            assert gated.batches == [3]

    run(test)


def test_batches_are_as_large_as_pays_where_the_engine_paints(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (studio, *_):
            gated = gate(studio)
            assert (gated.device, studio._batcher.most) == ("cpu", 1)
            gated.device = "cuda"
            assert studio._batcher.most == 8

    run(test)


@pytest.mark.skipif(sys.platform != "linux", reason="a priority belongs to a thread on Linux only")
def test_whoever_paints_gives_way_to_whoever_answers(service_settings):
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    async def test() -> None:
        async with opened(service_settings) as (studio, *_):
            before = niceness()
            assert await studio._lane.run(niceness) == min(19, before + 10)
            assert await studio.in_thread(niceness) == min(19, before + 10)
            assert niceness() == before

    run(test)


def test_while_the_model_is_being_loaded_the_service_is_alive_and_not_ready(service_settings):
    async def test() -> None:
        async with opened(service_settings, wait=False) as (_, client, _front):
            assert (await client.get("/livez")).status_code == 200
            for answer in (await client.get("/readyz"), await stylize(client, picture(64))):
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) >= 1
                assert "loaded" in answer.json()["detail"]

    run(test)


def test_a_model_that_cannot_be_loaded_leaves_a_service_that_says_why(service_settings, tmp_path, caplog):
    async def test() -> None:
        settings = replace(service_settings, model=str(tmp_path / "nowhere"))
        async with opened(settings) as (studio, client, _):
            assert studio.models.state == "failed"
            assert (await client.get("/livez")).status_code == 200
            assert "no such folder" in (await client.get("/readyz")).json()["detail"]
            model = (await client.get("/v1/model")).json()
            assert model["state"] == "failed"
            assert "no such folder" in model["reason"]

    run(test)
    assert any("no such folder" in record.message for record in caplog.records)


def test_a_model_that_appears_later_is_loaded_without_a_restart(service_settings, tmp_path, tiny_package):
    async def test() -> None:
        settings = replace(service_settings, model=str(tmp_path / "later"), retry_s=0.1)
        async with opened(settings) as (studio, client, _):
            assert (await client.get("/readyz")).status_code == 503
            (tmp_path / "later").symlink_to(tiny_package)
            await until(lambda: studio.models.state == "ready")
            assert (await stylize(client, picture(64))).status_code == 200

    run(test)


@pytest.mark.parametrize("most", [1, 8])
def test_a_fault_of_ours_is_a_500_that_tells_nothing_but_where_to_look(service_settings, most):
    async def test() -> None:
        async with opened(replace(service_settings, max_batch=most)) as (studio, client, _):
            studio._batcher._lane = EngineLane()
            studio._batcher._lane.close()  # the lane is gone: nothing that a client could have done
            answer = await stylize(client, picture(64))
            assert answer.status_code == 500
            assert answer.json()["detail"].endswith(answer.headers["x-request-id"])
            assert "Traceback" not in answer.text

    run(test)


def test_a_read_only_library_says_how_to_change_it(service_settings):
    async def test() -> None:
        async with opened(service_settings) as (_, client, _front):
            answer = await client.delete("/v1/styles/waves")
            assert answer.status_code == 403
            assert "PENTIMENTO_STYLES_WRITABLE" in answer.json()["detail"]

    run(test)


def test_one_picture_alone_is_admitted_however_large_and_a_permit_counts_once():
    queue = PixelQueue(capacity_pixels=100, capacity_requests=2)
    permit = queue.admit(1000)
    with pytest.raises(QueueFull, match="try again"):
        queue.admit(1)
    permit.release()
    permit.release()
    assert (queue.pixels, queue.admitted) == (0, 0)


def test_retry_after_follows_the_speed_that_was_seen():
    queue = PixelQueue(capacity_pixels=10**9, capacity_requests=9)
    queue.admit(10**8)
    assert queue.retry_after_s() == 60
    for _ in range(60):
        permit = queue.admit(10**7)
        permit._since_s -= 0.1  # as if it had taken a tenth of a second with 1.1e8 pixels in work
        permit.release()
    assert queue.retry_after_s() == 1


def test_an_abandoned_ticket_stops_and_no_other_error_is_taken_for_a_clients():
    ticket = Ticket()
    ticket.check()
    ticket.abandon()
    with pytest.raises(Exception, match=r"^$"):
        ticket.check()
    assert as_refusal(ZeroDivisionError()) is None
    assert as_refusal(Refusal("x")) is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PENTIMENTO_ENGINE", "abacus"),
        ("PENTIMENTO_MAX_BYTES", "many"),
        ("PENTIMENTO_QUEUE_REQUESTS", "0"),
        ("PENTIMENTO_MAX_PIXELS", str(2048 * 2048 + 1)),
        ("PENTIMENTO_DEADLINE_S", "-1"),
        ("PENTIMENTO_UPLOAD_TIMEOUT_S", "inf"),
        ("PENTIMENTO_STYLES_WRITABLE", "perhaps"),
    ],
)
def test_a_setting_that_cannot_work_is_named_with_its_value(name, value):
    with pytest.raises(ServiceSettingsError, match=f"{name}='{value}'"):
        ServiceSettings.from_env({name: value})


def test_settings_come_from_the_environment_and_otherwise_stay_at_their_defaults():
    assert ServiceSettings.from_env({}).model == "models:/pentimento@champion"
    read = ServiceSettings.from_env({"PENTIMENTO_DEADLINE_S": "2.5", "PENTIMENTO_STYLES_WRITABLE": "yes"})
    assert math.isclose(read.deadline_s, 2.5)
    assert read.styles_writable
