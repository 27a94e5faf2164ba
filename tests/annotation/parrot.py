"""Who answers in the tests of chats, in the place of a model."""

import threading

from annotation.answering import Piece
from annotation.errors import ModelAway


class Parrot:
    """Says the last message again, word by word. It is away when asked to be, and says no more than the first
    word of what begins with "slowly" until ``may_go_on``."""

    may_go_on = threading.Event()

    def stream(self, answer, messages, *, seed):
        yield Piece(waiting=1)
        words = messages[-1]["content"].split(" ")
        if words == ["away"]:
            raise ModelAway("Nobody is there.")
        for place, word in enumerate(words):
            while place and words[0] == "slowly" and not self.may_go_on.wait(0.05):
                yield Piece()
            yield Piece(f"{word} ")
        yield Piece(is_over=True)
