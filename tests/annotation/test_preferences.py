"""Through HTTP: how somebody likes their screens is kept, bounded, and theirs."""

import json

import pytest
from django.test import Client

from tests.annotation.test_api import signed_in  # noqa: F401

URL = "/api/me/preferences"


def patch(client, body):
    return client.patch(URL, json.dumps(body), content_type="application/json")


class TestPreferences:
    def test_come_with_who_is_signed_in(self, signed_in):  # noqa: F811
        before = signed_in.get("/api/me").json()["preferences"]
        patch(signed_in, {"theme": "dark", "text_size": 18})

        assert before == {}
        assert signed_in.get("/api/me").json()["preferences"] == {"theme": "dark", "text_size": 18}

    def test_that_are_not_named_stay(self, signed_in, ada):  # noqa: F811
        patch(signed_in, {"theme": "dark", "keys": {"rank.skip": ["Q"]}})

        answer = patch(signed_in, {"daily_goal": 80})

        ada.refresh_from_db()
        assert answer.json() == ada.preferences
        assert ada.preferences == {"theme": "dark", "keys": {"rank.skip": ["Q"]}, "daily_goal": 80}

    def test_set_to_null_are_as_the_screens_come(self, signed_in, ada):  # noqa: F811
        patch(signed_in, {"theme": "dark", "single_keys": False})

        patch(signed_in, {"theme": None})

        ada.refresh_from_db()
        assert ada.preferences == {"single_keys": False}

    def test_are_refused_where_nobody_knows_them(self, signed_in, ada):  # noqa: F811
        answer = patch(signed_in, {"theme": "dark", "is_staff": True})

        ada.refresh_from_db()
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_preference")
        assert ada.preferences == {}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"theme": "neon"},
            {"language": "tlh"},
            {"text_size": 13},
            {"text_size": 21},
            {"density": ["compact"]},
            {"single_keys": "perhaps"},
            {"break_minutes": -1},
            {"daily_goal": 10**9},
            {"keys": ["Q"]},
            {"keys": {"rank.skip": "Q"}},
            {"keys": {"rank.skip": ["<script>alert(1)</script>"]}},
            {"keys": {"rank.skip": ["Mod+" * 100]}},
            {"keys": {"rank.skip": ["Q", "W", "V", "N", "M"]}},
            {"keys": {"../skip": ["Q"]}},
            {"keys": {f"rank.{'x' * n}": ["Q"] for n in range(1, 31)} | {"a.b": []}, "theme": "neon"},
            {"keys": {f"{scope}.{name}": [] for scope in "abcde" for name in "abcdefghijklmnopqrstuvwxyz"}},
        ],
    )
    def test_that_make_no_sense_are_refused_and_none_of_them_kept(self, signed_in, ada, wrong):  # noqa: F811
        answer = patch(signed_in, {"key_hints": False, **wrong})

        ada.refresh_from_db()
        assert (answer.status_code, answer.json()["code"] in {"invalid", "text_too_long"}) == (400, True)
        assert ada.preferences == {}

    @pytest.mark.parametrize("body", ["[]", "3", "{", '"x"'])
    def test_that_are_no_object_are_refused(self, signed_in, body):  # noqa: F811
        answer = signed_in.patch(URL, body, content_type="application/json")

        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "chord", ["Q", "Mod+Shift+P", "Alt+ArrowUp", "Shift+Digit", "=", "é", "Mod+Alt+Enter"]
    )
    def test_hold_any_chord_that_a_keyboard_makes(self, signed_in, ada, chord):  # noqa: F811
        patch(signed_in, {"keys": {"rank.skip": [chord]}})

        ada.refresh_from_db()
        assert ada.preferences == {"keys": {"rank.skip": [chord]}}

    def test_are_changed_by_nobody_else(self, signed_in, ada, ben):  # noqa: F811
        patch(signed_in, {"theme": "dark"})

        ben.refresh_from_db()
        assert ben.preferences == {}
        assert Client().patch(URL, "{}", content_type="application/json").status_code == 403
