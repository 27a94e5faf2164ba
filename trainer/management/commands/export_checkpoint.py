from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import Refusal
from trainer.exports.checkpoints import export_checkpoint
from trainer.management.finding import find_row
from trainer.models import Checkpoint


class Command(BaseCommand):
    help = "Write a checkpoint as a plain Hugging Face folder, with a card that tells where it comes from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int)
        parser.add_argument(
            "--out", required=True, metavar="PATH_OR_URL", help="a folder, or an address as s3://bucket/x"
        )
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--merged", action="store_true", help="whole weights, adapters merged (the default)"
        )
        form.add_argument("--apart", action="store_true", help="the adapters alone, as peft reads them")
        parser.add_argument("--gguf", action="store_true", help="and one file for llama.cpp beside it")

    def handle(
        self, *args: Any, id: int, out: str, apart: bool, gguf: bool, merged: bool = False, **options: Any
    ) -> None:
        checkpoint = find_row(Checkpoint, id)
        try:
            export_checkpoint(checkpoint, str(out), apart=apart, with_gguf=gguf)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        except (OSError, ImportError, NotImplementedError) as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        self.stdout.write(f"{checkpoint} is at {out}")
