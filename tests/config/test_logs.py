"""Lines that can be followed from a request to what it did."""

import json
import logging
import logging.config

import pytest
from structlog.contextvars import bound_contextvars

from config.logs import logging_settings


@pytest.fixture
def logged(capsys):
    """What the root logger writes in a format."""

    def write(log_format, message, **context):
        settings = logging_settings(log_format, "INFO")
        formatter = logging.config.DictConfigurator(settings).configure_formatter(
            settings["formatters"]["chosen"]
        )
        record = logging.LogRecord("trainer", logging.WARNING, __file__, 1, message, ("soup",), None)
        with bound_contextvars(**context):
            return formatter.format(record)

    return write


class TestALine:
    def test_is_json_that_names_its_request(self, logged):
        line = json.loads(logged("json", "No %s left.", request_id="r1"))

        assert line["event"] == "No soup left."
        assert (line["level"], line["logger"], line["request_id"]) == ("warning", "trainer", "r1")
        assert line["timestamp"].endswith("Z")

    def test_of_hostile_text_stays_one_line(self, logged):
        assert "\n" not in logged("json", 'No %s\n{"level": "info"}\u2028 left.')

    def test_for_people_names_it_too(self, logged):
        line = logged("line", "No %s left.", run=7)

        assert line.endswith("WARNING trainer No soup left. run=7")


class TestARequest:
    def test_is_named_in_its_answer(self, client):
        first, second = (client.get("/healthz")["X-Request-ID"] for _ in range(2))

        assert first != second

    def test_keeps_the_name_that_a_proxy_gave_it(self, client):
        answer = client.get("/healthz", headers={"x-request-id": "proxy-0123456789"})

        assert answer["X-Request-ID"] == "proxy-0123456789"

    @pytest.mark.parametrize("name", ["short", "two words are no name", "x" * 65, "forged\tline"])
    def test_takes_no_name_that_could_forge_a_line(self, client, name):
        assert client.get("/healthz", headers={"x-request-id": name})["X-Request-ID"] != name
