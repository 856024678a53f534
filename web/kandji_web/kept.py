"""What was worked out for somebody and is good for others, for a while even though a sync published since.

What a page of pictures takes grows with the fleet, and syncs may publish every few seconds. So an answer is good for
ten times as long as its page took to make, whatever is published meanwhile: at a small fleet that is hardly noticed, at
a large one the page takes a tenth of one processor at most. Each answer carries its own dates, and keeps them.
"""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import anyio
from starlette.requests import Request

from kandji_mcp_server.context import ServerContext
from kandji_queries.reader import Reader
from kandji_schema.errors import MirrorError
from kandji_web.asking import in_time, mirror_of, until_gone

T = TypeVar("T")

MOST = 300
"""Answers; the one that was asked for longest ago goes for a further one."""

SECONDS = 60.0
"""So long an answer is good while nothing is published: some queries ask for the time."""

RESTS = 10
"""So many times as long as its page took to make an answer is good, whatever is published."""

MAKING = 5
"""So many times more it is still given, to nobody's waiting, while the one of the newest state is made."""

LONGEST = 600.0
"""Seconds that an answer is good at most, whatever its page took."""

_Whole = tuple[int, str, Hashable]
"""Mirror, page and key: what tells an answer from all others."""

Beside = Callable[[Callable[[], Awaitable[None]]], None]
"""Has something done beside all requests, which ends with the server."""


@dataclass(frozen=True)
class Question(Generic[T]):
    """What is asked of a mirror: ``make`` answers it, ``key`` tells it from the others of its ``page``.

    Nobody's rights are in it but those of ``mirror``: answers of one mirror are never given for another.
    """

    mirror: ServerContext
    page: str
    key: Hashable
    make: Callable[[Reader], T]


@dataclass(frozen=True)
class _Answer:
    """What was answered from a ``state`` of the mirror, when, and how many seconds it took."""

    value: Any
    state: Hashable
    made_at: float
    seconds: float


class _Turn:
    """The turn to make an answer of a page, and the last that failed: its key, when, and why."""

    def __init__(self) -> None:
        self.lock = anyio.Lock()
        self.failed: tuple[Hashable, float, MirrorError] | None = None


class KeptAnswers:
    """Answers by mirror, page and key. Of one page only one is made at a time in the whole server; the others wait."""

    def __init__(self, beside: Beside, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells seconds that only go forward."""
        self._beside = beside
        self._clock = clock
        self._kept: OrderedDict[_Whole, _Answer] = OrderedDict()
        self._turns: WeakValueDictionary[str, _Turn] = WeakValueDictionary()
        self._renewing: set[_Whole] = set()

    async def get(self, question: Question[T], state: Hashable) -> T:
        """Return what is kept while it is good, else what ``question.make`` returns; errors are not kept.

        ``state`` is that of the mirror, :attr:`Reader.state`. Where an answer of a former one is returned, a new one is
        made beside the requests as soon as that is no longer good.
        """
        found = self._good(question, state)
        if found is None:
            found = await self._in_turn(question, state)
        if found.state != state:
            self._renew_later(question, found)
        value: T = found.value
        return value

    async def _in_turn(self, question: Question[Any], state: Hashable) -> _Answer:
        """Make an answer, unless another does meanwhile: all who wait get what became of that, an error too."""
        turn, asked_at = self._turn(question), self._clock()
        async with turn.lock:
            if (found := self._good(question, state)) is not None:
                return found
            if turn.failed is not None and turn.failed[0] == question.key and turn.failed[1] > asked_at:
                raise turn.failed[2]
            try:
                return await self._made(question)
            except MirrorError as error:
                turn.failed = question.key, self._clock(), error
                raise

    def _turn(self, question: Question[Any]) -> _Turn:
        """Return what one who makes an answer of the page has; it is there as long as somebody wants it."""
        return self._turns.setdefault(question.page, _Turn())

    def _good(self, question: Question[Any], state: Hashable) -> _Answer | None:
        whole = _whole(question)
        found = self._kept.get(whole)
        if found is None or self._left(question, found, is_former=found.state != state) <= 0:
            return None
        self._kept.move_to_end(whole)
        return found

    def _left(self, question: Question[Any], found: _Answer, *, is_former: bool, making: int = MAKING) -> float:
        """Return for how many seconds an answer is good still, as it is of a former state or not."""
        page = _whole(question)[:2]
        taken = sum(answer.seconds for whole, answer in self._kept.items() if whole[:2] == page)
        good = min((RESTS + making) * taken, LONGEST) if is_former else max(min(RESTS * taken, LONGEST), SECONDS)
        return found.made_at + good - self._clock()

    async def _made(self, question: Question[Any]) -> _Answer:
        def make(reader: Reader) -> _Answer:
            began, state = self._clock(), reader.state  # of what is published from here on the answer may lack
            value = question.make(reader)
            ended = self._clock()
            return _Answer(value, state, ended, ended - began)

        whole, made = _whole(question), await in_time(question.mirror, make)
        self._kept[whole] = made
        self._kept.move_to_end(whole)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return made

    def _renew_later(self, question: Question[Any], former: _Answer) -> None:
        """Have an answer of a former state made anew as soon as it is no longer good, whoever looks then."""
        whole = _whole(question)
        if whole in self._renewing:
            return

        async def renew() -> None:
            try:
                await anyio.sleep(max(0.0, self._left(question, former, is_former=True, making=0)))
                turn = self._turn(question)
                async with turn.lock:
                    if self._kept.get(whole) is former:
                        with suppress(MirrorError):  # whoever asks next meets the trouble and is told
                            await self._made(question)
            finally:
                self._renewing.discard(whole)

        self._renewing.add(whole)
        self._beside(renew)


async def kept_answer(request: Request, page: str, key: str, make: Callable[[Reader], T]) -> T:
    """Answer one question of a page, the same for all who may see the same, as long as the browser waits."""
    kept: KeptAnswers = request.app.state.kept

    async def answer() -> T:
        mirror = mirror_of(request)
        return await kept.get(Question(mirror, f"{page} {key}", key, make), await mirror.state())

    return await until_gone(request, answer)


def _whole(question: Question[Any]) -> _Whole:
    return (id(question.mirror), question.page, question.key)
