"""A labeler's page without its screen: the same requests to the real API, with the standard library alone."""

import json
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from http.cookiejar import CookieJar
from typing import Any

TRIES = 4
JSON = "application/json"


class Refused(Exception):
    """The server said no, and why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


class Unreachable(Exception):
    """No server answered."""


class LabelerClient:
    """One labeler's browser: its cookies, and the calls that the page makes."""

    def __init__(self, url: str, *, timeout: float = 60) -> None:
        self.url = url.rstrip("/")
        self.timeout = timeout
        self.cookies = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open_page(self) -> None:
        """The page sets the cookie with the CSRF token, even where its screens are not built.

        :raises Unreachable: nothing of ours is there.
        """
        try:
            self._ask(urllib.request.Request(self.url + "/app/"))
        except Refused as refused:
            if not self._token():
                raise Unreachable(str(refused)) from None
        if not self._token():
            raise Unreachable("it is another server")

    def sign_in(self, username: str, password: str) -> None:
        """:raises Refused: there is no such account there."""
        self.open_page()
        self._send("POST", "/api/session", {"username": username, "password": password})

    def sign_out(self) -> None:
        self._send("DELETE", "/api/session")

    def agree(self, campaign_id: int) -> None:
        """To the text that the campaign asks its labelers to agree to."""
        asked = self._send("GET", f"/api/campaigns/{campaign_id}/consent")
        self._send("POST", f"/api/campaigns/{campaign_id}/consent", {"version": asked["text"]["version"]})

    def claim(self, campaign_id: int) -> list[dict[str, Any]]:
        answer = self._send("POST", f"/api/campaigns/{campaign_id}/assignments", {"count": 1})
        claimed: list[dict[str, Any]] = answer["assignments"]
        return claimed

    def extend(self, assignment_id: object) -> None:
        self._send("POST", f"/api/assignments/{assignment_id}/heartbeat")

    def skip(self, assignment_id: object, reason: str) -> list[dict[str, Any]]:
        """What comes next instead."""
        answer = self._send("POST", f"/api/assignments/{assignment_id}/skip", {"reason": reason})
        following: list[dict[str, Any]] = answer["next"]
        return following

    def submit(self, assignment_id: object, judgement: dict[str, Any]) -> list[dict[str, Any]]:
        """What comes next."""
        answer = self._send("POST", f"/api/assignments/{assignment_id}/ranking", judgement)
        following: list[dict[str, Any]] = answer["next"]
        return following

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        # Behind TLS Django wants to know which page sends.
        headers = {"Accept": JSON, "X-CSRFToken": self._token(), "Referer": self.url + "/app/"}
        headers |= {"Content-Type": JSON} if data else {}
        answer = self._ask(urllib.request.Request(self.url + path, data, headers, method=method))
        return json.loads(answer) if answer else None

    def _ask(self, request: urllib.request.Request) -> bytes:
        """Asked again where the connection broke: everything that a page sends may come twice.

        :raises Refused: the server answered with an error.
        :raises Unreachable: it did not answer, however often it was asked.
        """
        for number in range(TRIES):
            try:
                with self.opener.open(request, timeout=self.timeout) as answer:
                    body: bytes = answer.read()
                    return body
            except urllib.error.HTTPError as error:
                raise _refusal(error) from None
            except (OSError, HTTPException) as error:
                trouble = getattr(error, "reason", error)
            time.sleep(0.2 * number)
        raise Unreachable(str(trouble))

    def _token(self) -> str:
        return next((cookie.value or "" for cookie in self.cookies if cookie.name == "csrftoken"), "")


def _refusal(error: urllib.error.HTTPError) -> Refused:
    try:
        said = json.loads(error.read())
        return Refused(error.code, said["code"], said["detail"])
    except (ValueError, KeyError, TypeError):
        return Refused(error.code, "unknown", f"{error.code} {error.reason}")
