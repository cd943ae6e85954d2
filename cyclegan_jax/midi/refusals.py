"""Why a file is no song: the fixed list of reasons, and the error that carries one."""

import enum


class Refusal(enum.StrEnum):
    """Why a file does not enter the dataset, or is not transferred."""

    UNREADABLE = "cannot be read"
    TOO_LARGE = "larger than 8 MiB"
    NOT_MIDI = "not a MIDI file"
    DAMAGED = "damaged or cut off"
    BAD_VALUE = "a value that MIDI does not have"
    UNSUPPORTED = "type 2 or SMPTE time"
    TOO_MANY = "too many tracks or notes"
    READER_FAILED = "reader crashed or hung"
    NO_SCORE_READER = "a score in MusicXML, which needs verovio"
    NO_NOTES = "no pitched notes"
    TOO_LONG = "too many bars"
    NO_TIME_SIGNATURE = "no time signature"
    THREE_BEATS = "three beats to a bar without a time signature"
    LATE_TIME_SIGNATURE = "time signature not at tick 0"
    OTHER_METRE = "metre other than 4/4"
    NO_BEAT = "played without the file's beat"
    TOO_SHORT = "shorter than a phrase"
    BLANK = "no phrase with a note in range"
    DUPLICATE = "same notes as another file"
    NO_TRACK = "no such track"


class RefusedSongError(Exception):
    """A file that is refused: `reason` from the fixed list, `detail` in words."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
