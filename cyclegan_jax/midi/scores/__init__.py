"""Scores as MIDI: MusicXML by verovio, ABC by symusic, with the bar lines where the score has them."""
