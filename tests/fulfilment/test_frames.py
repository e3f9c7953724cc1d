"""A sealed file reads like the plain one from any place, and not at all once a bit of it was changed."""

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsar import keys
from dsar.fulfilment import frames
from dsar.fulfilment.frames import Reader, Writer

KEY, NAME = b"k" * 32, "one copy"


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 16 bytes: a few bytes are many frames."""
    monkeypatch.setattr(frames, "FRAME", 16)
    monkeypatch.setattr(frames, "SEALED", frames.NONCE + 16 + frames.TAG)


def sealed(content: bytes, *, portions: int = 7, name: str = NAME) -> bytes:
    sink = io.BytesIO()
    writer = Writer(sink, KEY, name)
    for start in range(0, len(content), portions):
        writer.write(content[start : start + portions])
    writer.finish()
    assert writer.size == len(content)
    return sink.getvalue()


def reader(data: bytes, *, key: bytes = KEY, name: str = NAME) -> Reader:
    return Reader(io.BytesIO(data), key, name, len(data))


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 100)),
        st.tuples(st.just("seek"), st.integers(0, 200)),
        st.tuples(st.just("back"), st.integers(0, 50)),
    ),
    max_size=12,
)


@settings(max_examples=300)
@given(content=st.binary(max_size=120), portions=st.integers(1, 40), moves=MOVES)
def test_it_reads_like_the_plain_bytes(content: bytes, portions: int, moves: list[tuple[str, int]]) -> None:
    plain, found = io.BytesIO(content), reader(sealed(content, portions=portions))
    assert found.size == len(content)
    for what, number in moves:
        if what == "read":
            assert found.read(number) == plain.read(number)
        elif what == "seek":
            assert found.seek(number) == plain.seek(number)
        else:
            back = min(number, len(content))
            assert found.seek(-back, io.SEEK_END) == plain.seek(-back, io.SEEK_END)
        assert found.tell() == plain.tell()


@settings(max_examples=200)
@given(content=st.binary(max_size=100), data=st.data())
def test_a_changed_bit_is_noticed(content: bytes, data: st.DataObject) -> None:
    made = bytearray(sealed(content))
    made[data.draw(st.integers(0, len(made) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(keys.Unreadable):
        reader(bytes(made)).read()


@settings(max_examples=200)
@given(content=st.binary(min_size=1, max_size=100), data=st.data())
def test_a_file_that_was_cut_off_is_refused_before_anything_is_read(content: bytes, data: st.DataObject) -> None:
    made = sealed(content)
    with pytest.raises(keys.Unreadable):
        reader(made[: data.draw(st.integers(0, len(made) - 1))])


@given(content=st.binary(min_size=17, max_size=100), data=st.data())
def test_frames_in_another_order_are_refused(content: bytes, data: st.DataObject) -> None:
    made = sealed(content)
    pieces = [made[start : start + frames.SEALED] for start in range(0, len(made), frames.SEALED)]
    one, other = data.draw(st.tuples(*[st.integers(0, len(pieces) - 1)] * 2).filter(lambda two: two[0] != two[1]))
    pieces[one], pieces[other] = pieces[other], pieces[one]
    with pytest.raises(keys.Unreadable):
        reader(b"".join(pieces)).read()


def test_another_key_another_name_and_frames_of_another_file_are_refused() -> None:
    made = sealed(b"x" * 40)
    for wrong in ({"key": b"K" * 32}, {"name": "another copy"}):
        with pytest.raises(keys.Unreadable):
            reader(made, **wrong)  # type: ignore[arg-type]
    mended = sealed(b"x" * 40, name="another copy")[: frames.SEALED] + made[frames.SEALED :]
    with pytest.raises(keys.Unreadable):
        reader(mended).read()
    with pytest.raises(keys.Unreadable):
        reader(made + made)


def test_no_two_frames_share_a_nonce_and_nothing_plain_is_in_the_file() -> None:
    content = os.urandom(16) * 40
    made = sealed(content)
    nonces = {made[start : start + frames.NONCE] for start in range(0, len(made), frames.SEALED)}
    assert len(nonces) == 40
    assert content[:16] not in made


def test_a_writer_that_was_not_finished_left_nothing_readable() -> None:
    sink = io.BytesIO()
    Writer(sink, KEY, NAME).write(b"x" * 100)
    with pytest.raises(keys.Unreadable):
        reader(sink.getvalue())
