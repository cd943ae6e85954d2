"""The file that TensorBoard reads: curves, pictures, and where an earlier run is hidden."""

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event, SessionLog

from launch.run.event_file import EventFile


def events(folder: Path) -> Iterator[Event]:
    """Records of a TFRecord file: length, its checksum, content, its checksum."""
    (path,) = folder.glob("events.out.tfevents.*")
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        yield Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]


def test_what_is_synced_is_there_while_training_goes_on(tmp_path):
    written = EventFile(tmp_path / "tensorboard", 4)
    written.scalars(5, {"loss/cycle_a": 0.5, "speed": 3})
    written.sync()
    version, session, *points = events(tmp_path / "tensorboard")
    assert version.file_version == "brain.Event:2"
    assert (session.step, session.session_log.status) == (5, SessionLog.START)
    (loss,), (speed,) = (point.summary.value for point in points)
    assert [(p.step, p.wall_time > 1e9) for p in points] == [(5, True)] * 2
    assert (loss.tag, loss.simple_value, speed.tag, speed.simple_value) == ("loss/cycle_a", 0.5, "speed", 3)
    written.close()


def test_images_lie_side_by_side(tmp_path):
    rolls = np.zeros((3, 84, 64), np.float32)
    rolls[2, 0, :32] = 1
    written = EventFile(tmp_path, 0)
    written.images(7, "samples/transfer", rolls)
    written.close()
    *_, event = events(tmp_path)
    (value,) = event.summary.value
    assert event.step == 7 and value.tag.startswith("samples/transfer")
    picture = np.asarray(Image.open(io.BytesIO(value.image.encoded_image_string)).convert("L"))
    assert picture.shape == (84, 3 * 64)
    np.testing.assert_array_equal(picture, np.concatenate(rolls, axis=1) * 255)


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "tensorboard").write_bytes(b"")
    with pytest.raises(OSError, match=r"tensorboard.* could not be written: File exists"):
        EventFile(tmp_path / "tensorboard", 0)
