"""The scan, with the real library and without a net."""

import socket
import subprocess
import sys

import pytest

from annotation.personal_data import is_chinese_identity_number, scanner


@pytest.fixture(autouse=True)
def no_net(monkeypatch):
    def refuse(*args):
        raise AssertionError("the scan went to the net")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def found(*texts):
    messages = [{"role": "user", "content": text} for text in texts]
    return [(one["kind"], texts[one["message"]][one["start"] : one["end"]]) for one in scanner()(messages)]


class TestTheScan:
    @pytest.mark.parametrize(
        ("text", "kind", "what"),
        [
            ("Write to ann.lee@example.org.", "email_address", "ann.lee@example.org"),
            ("Call me at (415) 555-2671!", "phone_number", "(415) 555-2671"),
            ("Ring +49 30 901820 today", "phone_number", "+49 30 901820"),
            ("我的电话是13812345678。", "phone_number", "13812345678"),
            ("My card: 4111 1111 1111 1111", "credit_card", "4111 1111 1111 1111"),
            ("Pay to DE89 3704 0044 0532 0130 00.", "iban_code", "DE89 3704 0044 0532 0130 00"),
            ("From 192.168.1.17 on", "ip_address", "192.168.1.17"),
            ("My SSN is 219-09-9999.", "us_ssn", "219-09-9999"),
            ("身份证11010519491231002X。", "cn_identity_number", "11010519491231002X"),
        ],
    )
    def test_finds(self, text, kind, what):
        assert found(text) == [(kind, what)]

    @pytest.mark.parametrize(
        "text",
        [
            "How do I make soup for 4 people in 2024? Serve at 12:30, bake at 350 degrees.",
            "The order number is 4111 1111 1111 1112.",
            "Python 3.11.7 on port 8000, ZIP 90210",
            "煮汤需要多长时间？",
            "Question 1699: how long does soup number 1699 take?",
        ],
    )
    def test_leaves_alone(self, text):
        assert found(text) == []

    def test_knows_which_message(self):
        assert found("Hi", "I am at 192.168.1.17") == [("ip_address", "192.168.1.17")]


def test_a_web_process_loads_no_models_for_it():
    # They took five seconds of the first page that scanned.
    told = (
        "import sys\nfrom annotation.personal_data import scanner\nprint(len(scanner()("
        "[{'role': 'user', 'content': 'I am at 192.168.1.17'}])), {'torch', 'transformers'} & {*sys.modules})"
    )

    said = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)

    assert said.stdout.split(maxsplit=1) == ["1", "set()\n"]


def test_the_check_digit_of_the_standard():
    # The example of GB 11643-1999.
    assert is_chinese_identity_number("11010519491231002X")
    assert not is_chinese_identity_number("110105194912310021")
