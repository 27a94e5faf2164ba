"""Who answers in the tests of chats, in the place of a model."""

from annotation.answering import Piece
from annotation.errors import ModelAway


class Parrot:
    """Says the last message again, word by word; says nothing when it is to be away."""

    pace = 0
    """Called before each word."""

    def stream(self, answer, messages, *, seed):
        yield Piece(waiting=1)
        words = messages[-1]["content"].split(" ")
        if words == ["away"]:
            raise ModelAway("Nobody is there.")
        for word in words:
            yield Piece(f"{word} ")
        yield Piece(is_over=True)
