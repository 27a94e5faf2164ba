import logging
import signal
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.utils import timezone

from annotation.errors import Refusal
from annotation.models import Campaign
from trainer import shelf
from trainer.actions.serving import announce_server, checkpoint_to_serve, withdraw_server
from trainer.management.finding import find_campaign
from trainer.model_process import ModelProcess
from trainer.models import Checkpoint

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0
TELL_EVERY = 10.0
LOAD_WITHIN = 600.0
AGAIN_AFTER = 30.0
"""Seconds before a model that did not start is tried again."""


class Command(BaseCommand):
    help = "Serve the checkpoint that is promoted in a campaign to its chats; another promotion takes over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--campaign", metavar="NAME", help="else the first that there is")
        parser.add_argument("--host", default="127.0.0.1", help="where the web reaches it (%(default)s)")
        parser.add_argument(
            "--after", type=float, default=0, help="seconds to leave the machine to others first"
        )

    def handle(self, *args: Any, campaign: str | None, host: str, after: float, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        serving = None
        try:
            time.sleep(after)
            serving = Serving(_campaign(campaign), host)
            while True:
                serving.look()
                time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            pass
        finally:
            if serving:
                serving.end()


class Serving:
    """One campaign's model: the process that serves it, and what the database knows of it."""

    def __init__(self, campaign: Campaign, host: str) -> None:
        self.campaign, self.host = campaign, host
        self.process: ModelProcess | None = None
        self.checkpoint: Checkpoint | None = None
        self.told_at = 0.0
        self.not_before = 0.0

    def look(self) -> None:
        """Switch to what is promoted by now, and tell that somebody is there. A database that is away changes
        nothing: the model goes on answering."""
        try:
            wanted = checkpoint_to_serve(self.campaign, now=timezone.now())
            if self.process is None or self.process.is_over or wanted != self.checkpoint:
                self._switch(wanted)
            if self.process and time.monotonic() - self.told_at > TELL_EVERY and self.process.is_well():
                self._tell()
        except DatabaseError as error:
            logger.warning("The database cannot be asked: %s", error)
            connection.close()
        except Refusal as refusal:
            self._put_off(refusal.detail)

    def end(self) -> None:
        if self.process:
            withdraw_server(self.campaign, self.process.url)
            self.process.end()

    def _switch(self, wanted: Checkpoint) -> None:
        """The old one answers until the new one can."""
        if time.monotonic() < self.not_before:
            return
        name = f"{wanted.kind}-{wanted.digest[:12]}"
        new = ModelProcess(shelf.local_place(wanted, lambda: None), name=name, host=self.host)
        if not new.wait_until_it_serves(LOAD_WITHIN):
            new.end()
            self._put_off(f"{wanted} could not be served.")
            return
        old, self.process, self.checkpoint = self.process, new, wanted
        self._tell()
        logger.info("%s is served to %s at %s", wanted, self.campaign, new.url)
        if old:
            old.leave()

    def _tell(self) -> None:
        assert self.process and self.checkpoint
        announce_server(self.campaign, self.checkpoint, self.process.url, now=timezone.now())
        self.told_at = time.monotonic()

    def _put_off(self, words: str) -> None:
        if time.monotonic() >= self.not_before:
            logger.error("%s It is tried again in %d seconds.", words, AGAIN_AFTER)
            self.not_before = time.monotonic() + AGAIN_AFTER


def _campaign(name: str | None) -> Campaign:
    """The one of this name, or the first there is, as soon as there is one."""
    if name:
        return find_campaign(name)
    while (campaign := Campaign.objects.active().order_by("pk").first()) is None:
        time.sleep(LOOK_EVERY)
    return campaign


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
