"""Files written from the network: there whole, or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from kandji_schema.errors import StoreFull
from kandji_schema.http import Target


@contextmanager
def new_file(target: Target) -> Iterator[Callable[[bytes], object]]:
    """Something that writes into ``target``, of which nothing stays where anything fails.

    :class:`StoreFull` for any trouble with the file itself.
    """
    try:
        with target.open("wb") as file:
            yield file.write
    except BaseException as error:
        with suppress(OSError):
            target.unlink()
        if not isinstance(error, OSError):
            raise
        raise StoreFull(
            f"{target} could not be written: {error.strerror or error}. Free some space, correct the rights, or choose "
            "another KANDJI_MIRROR_HOME; what was published before still answers."
        ) from error
